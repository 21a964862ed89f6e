"""A framework's model call: the SDK below reports it, else the framework does in its own terms."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from opentelemetry.context import attach, detach

from otel_agents.instrumentors._core.operations import Inference
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message, ResponseFields, Usage
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.generation import record_response
from otel_agents.instrumentors._dialects.parts import text_message
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

RESPONSE = SimpleNamespace(id="r-1", model="toy-1", reason="stop", text="hi")
SETTINGS: dict[str, Any] = {"temperature": 0.5, "stream": True}
SERVER = ("toy.example", 443)
WITH_CONTENT = {"OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY"}


class Call(FrameworkCall):
    """A call of a toy framework."""

    def response_fields(self, response: Any) -> ResponseFields:
        if response is None:
            return ResponseFields()
        usage = Usage(7, 2, {"gen_ai.usage.cache_read.input_tokens": 3})
        return ResponseFields(response.id, response.model, (response.reason,), usage)

    def output_messages(self, response: Any) -> list[Message]:
        return [text_message("assistant", response.text)] if response is not None else []


@pytest.fixture
def start(emission: Emission) -> Callable[..., Call]:
    """Return a function that starts a call."""

    def start(provider: str = "toy", environ: dict[str, str] = WITH_CONTENT) -> Call:
        telemetry = Telemetry("toy", settings=Settings.read(environ), **emission.providers)
        return Call(telemetry, SETTINGS, model="toy", provider=provider, server=SERVER)

    return start


def attributes(emission: Emission) -> dict[str, Any]:
    (span,) = emission.spans
    return dict(span.attributes or {})


def test_a_response_that_no_sdk_reports(emission: Emission, start: Callable[..., Call]) -> None:
    call = start()
    call.chunk_received()
    assert call.returned(RESPONSE) is RESPONSE
    reported = attributes(emission)
    assert reported.pop("gen_ai.response.time_to_first_chunk") >= 0
    assert reported == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "toy",
        "gen_ai.request.model": "toy",
        "gen_ai.request.stream": True,
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.id": "r-1",
        "gen_ai.response.model": "toy-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.usage.cache_read.input_tokens": 3,
        "gen_ai.output.messages": (
            '[{"role":"assistant","parts":[{"type":"text","content":"hi"}],"finish_reason":"stop"}]'
        ),
        "server.address": "toy.example",
        "server.port": 443,
    }


def test_a_response_that_an_sdk_reports(
    emission: Emission, start: Callable[..., Call], telemetry: Telemetry
) -> None:
    call = start()
    token = attach(call.context)
    below = Inference(telemetry, Operation.CHAT, "other", "dated", SERVER)
    record_response(below, call.response_fields(RESPONSE))
    below.end()
    detach(token)
    call.returned(RESPONSE)
    reported = attributes(emission)
    assert (reported["gen_ai.provider.name"], reported["gen_ai.request.model"]) == (
        "other",
        "dated",
    )


def test_an_error_has_settings_alone(emission: Emission, start: Callable[..., Call]) -> None:
    start().failed(ConnectionError("planted-secret"))
    reported = attributes(emission)
    assert reported["error.type"] == "ConnectionError"
    assert reported["gen_ai.request.temperature"] == 0.5
    assert not any(name.startswith(("gen_ai.response", "gen_ai.output")) for name in reported)


@pytest.mark.parametrize("provider", ["gcp.gemini", "gcp.vertex_ai"])
def test_googles_models_generate_content(
    emission: Emission, start: Callable[..., Call], provider: str
) -> None:
    start(provider).returned(RESPONSE)
    assert emission.names == ["generate_content toy"]


def test_the_time_of_a_chunk_belongs_to_its_attempt(
    emission: Emission, start: Callable[..., Call]
) -> None:
    call = start()
    call.chunk_received()
    call.attempt_failed(ConnectionError())
    call.attempt()
    call.returned(RESPONSE)
    first, second = (dict(span.attributes or {}) for span in emission.spans)
    assert "gen_ai.response.time_to_first_chunk" in first
    assert "gen_ai.response.time_to_first_chunk" not in second


def test_no_content_by_default(emission: Emission, start: Callable[..., Call]) -> None:
    start(environ={}).returned(RESPONSE)
    assert "gen_ai.output.messages" not in attributes(emission)
