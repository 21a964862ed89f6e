"""What known libraries emit is repaired as far as the conventions say how; nobody else's is."""

from __future__ import annotations

from typing import Any

import pytest
from foreign_spans import finished, foreign, record_of
from opentelemetry.trace import Span, StatusCode

STRANDS = "strands.telemetry.tracer"


def repaired(scope: str, attributes: dict[str, Any], **variables: str) -> dict[str, Any]:
    return dict(foreign(**variables).span(finished(scope, attributes)).attributes or {})


@pytest.mark.parametrize(
    ("scope", "attributes", "expected"),
    [
        (
            "agent_framework",
            {
                "gen_ai.response.finish_reasons": '["tool_calls", "stop"]',
                "server.address": "https://api.openai.com/v1/",
                "gen_ai.agent.id": "6f1c",
                "gen_ai.usage.cache_creation.input_tokens": 3,
            },
            {
                "gen_ai.response.finish_reasons": ("tool_calls", "stop"),
                "server.address": "api.openai.com",
                "server.port": 443,
                "gen_ai.usage.cache_write.input_tokens": 3,
            },
        ),
        (
            STRANDS,
            {
                "gen_ai.system": "strands-agents",
                "gen_ai.usage.prompt_tokens": 9,
                "gen_ai.usage.input_tokens": 9,
                "gen_ai.usage.output_tokens": 2,
                "gen_ai.usage.completion_tokens": 2,
                "gen_ai.usage.cache_read_input_tokens": 4,
            },
            {
                "gen_ai.usage.input_tokens": 9,
                "gen_ai.usage.output_tokens": 2,
                "gen_ai.usage.cache_read.input_tokens": 4,
            },
        ),
        (
            "pydantic-ai",
            {
                "gen_ai.aggregated_usage.input_tokens": 30,
                "gen_ai.aggregated_usage.output_tokens": 7,
                "gen_ai.usage.details.reasoning_tokens": 5,
                "gen_ai.system": "google-gla",
                "gen_ai.request.temperature": 1,
            },
            {
                "gen_ai.usage.input_tokens": 30,
                "gen_ai.usage.output_tokens": 7,
                "gen_ai.usage.reasoning.output_tokens": 5,
                "gen_ai.provider.name": "gcp.gemini",
                "gen_ai.request.temperature": 1.0,
            },
        ),
        (
            "litellm",
            {
                "gen_ai.system": "azure",
                "gen_ai.provider.name": "openai",
                "gen_ai.response.finish_reason": "stop",
                "gen_ai.request.max_tokens": "10",
                "gen_ai.request.seed": 3.0,
                "gen_ai.openai.request.service_tier": "flex",
            },
            {
                "gen_ai.provider.name": "openai",
                "gen_ai.response.finish_reasons": ("stop",),
                "gen_ai.request.max_tokens": 10,
                "gen_ai.request.seed": 3,
                "openai.request.service_tier": "flex",
            },
        ),
        (
            "semantic_kernel.utils.telemetry",
            {"gen_ai.response.finish_reasons": ("FinishReason.TOOL_CALLS", "stop")},
            {"gen_ai.response.finish_reasons": ("tool_calls", "stop")},
        ),
        (
            "mistralai_sdk_tracer",
            {"server.address": "api.mistral.ai:8443"},
            {"server.address": "api.mistral.ai", "server.port": 8443},
        ),
    ],
)
def test_older_spellings_and_wrong_types(
    scope: str, attributes: dict[str, Any], expected: dict[str, Any]
) -> None:
    made = repaired(scope, attributes)
    assert made == expected
    assert {name: type(value) for name, value in made.items()} == {
        name: type(value) for name, value in expected.items()
    }
    assert (
        repaired(scope, attributes, OTEL_AGENTS_PREFER="theirs")
        == finished(scope, attributes).attributes
    )
    assert repaired("shop", attributes) == finished("shop", attributes).attributes


@pytest.mark.parametrize(
    "address", ["api.openai.com", "::1", "[::1", "10.0.0.1", "/var/run/model.sock", ""]
)
def test_an_address_that_is_none_of_these_is_kept(address: str) -> None:
    span = finished("agent_framework", {"server.address": address, "server.port": 1})
    assert foreign().span(span) is span


def test_the_port_that_the_library_recorded_is_kept() -> None:
    made = repaired("agent_framework", {"server.address": "http://[::1]:8080/v1", "server.port": 9})
    assert made == {"server.address": "::1", "server.port": 9}


def succeeds(span: Span) -> None:
    span.set_status(StatusCode.OK)


def test_the_status_ok_is_unset() -> None:
    span = finished(STRANDS, {}, work=succeeds)
    assert foreign().span(span).status.status_code is StatusCode.UNSET
    assert foreign(OTEL_AGENTS_PREFER="theirs").span(span) is span
    application = finished("shop", {"gen_ai.request.model": "m"}, work=succeeds)
    assert foreign().span(application) is application


def test_events_of_the_conventions_are_repaired_and_other_records_not() -> None:
    attributes = {"gen_ai.system": "azure", "server.address": "http://h:1"}
    fields = {"attributes": attributes, "event_name": "gen_ai.client.inference.operation.details"}
    data = record_of("litellm", **fields)
    made = foreign().record(data.log_record, data.instrumentation_scope)
    assert dict(made.attributes) == {
        "gen_ai.provider.name": "azure.ai.openai",
        "server.address": "h",
        "server.port": 1,
    }
    data = record_of("litellm", attributes=attributes, body="started")
    assert foreign().record(data.log_record, data.instrumentation_scope) is data.log_record


def test_what_is_right_is_the_librarys_own_span() -> None:
    span = finished(
        "gcp.vertex.agent",
        {
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 3,
            "server.address": "generativelanguage.googleapis.com",
        },
    )
    assert foreign().span(span) is span
