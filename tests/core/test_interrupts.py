"""A run that stops for input emits an event; the request for input is content."""

from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from opentelemetry.context import attach, detach

from otel_agents.instrumentors import InvokeWorkflow, Step, Telemetry, interrupted
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.telemetry import gate
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission

SECRET = "planted-secret"
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"
NAME = "otel_agents.interrupt"
VALUE = "otel_agents.interrupt.value"


def telemetry(emission: Emission, capture: str = "NO_CONTENT", **more: str) -> Telemetry:
    settings = Settings.read({CAPTURE: capture, **more})
    return Telemetry("toy", settings=settings, **emission.providers)


def spans_of_events(emission: Emission) -> list[int]:
    return [log.log_record.span_id for log in emission.logs]


def test_an_interrupt_is_an_event_of_its_span(emission: Emission) -> None:
    using = telemetry(emission)
    run, step = InvokeWorkflow(using, "trip"), Step(using, "human_input")
    token = attach(run.context)
    try:
        interrupted(using)
    finally:
        detach(token)
    interrupted(using, context=step.context)
    step.end()
    run.end()
    assert emission.events == [(NAME, {}), (NAME, {})]
    expected = [span.context.span_id for span in reversed(emission.spans) if span.context]
    assert spans_of_events(emission) == expected
    assert [span.status.is_unset for span in emission.spans] == [True, True]


@pytest.mark.parametrize("capture", ["NO_CONTENT", "SPAN_ONLY"])
def test_the_value_is_not_emitted_if_events_carry_no_content(
    capture: str, emission: Emission
) -> None:
    class Explodes:
        def __repr__(self) -> str:
            raise AssertionError("disabled content was converted")

        __str__ = __repr__

    using = telemetry(emission, capture)
    interrupted(using, {"approve": SECRET})
    interrupted(using, Explodes())
    assert emission.events == [(NAME, {}), (NAME, {})]
    assert SECRET not in emission.texts()


@pytest.mark.parametrize(
    "value",
    [f"approve {SECRET}?", {"approve": [SECRET, 1, None]}, [SECRET], 0, False, ""],
    ids=["text", "mapping", "list", "zero", "false", "empty"],
)
@pytest.mark.parametrize("capture", ["EVENT_ONLY", "SPAN_AND_EVENT"])
def test_the_value_is_json_if_events_carry_content(
    capture: str, value: Any, emission: Emission
) -> None:
    interrupted(telemetry(emission, capture), value)
    ((name, attributes),) = emission.events
    assert (name, {*attributes}) == (NAME, {VALUE})
    assert json.loads(attributes[VALUE]) == value


def test_without_a_value_no_attribute_is_emitted(emission: Emission) -> None:
    interrupted(telemetry(emission, "EVENT_ONLY"), None)
    assert emission.events == [(NAME, {})]


def test_without_detail_events_the_value_is_not_emitted(emission: Emission) -> None:
    """Content on events has no effect if events are disabled."""
    off = {"OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "false"}
    interrupted(telemetry(emission, "EVENT_ONLY", **off), SECRET)
    assert emission.events == [(NAME, {})]
    assert SECRET not in emission.texts()


def test_an_application_object_is_emitted_and_not_changed(emission: Emission) -> None:
    class Request:
        def __init__(self) -> None:
            self.text = SECRET

    request = [Request(), {1: {2, 3}}, b"\xff"]
    interrupted(telemetry(emission, "EVENT_ONLY"), request)
    ((_, attributes),) = emission.events
    assert isinstance(json.loads(attributes[VALUE]), list)
    assert [type(it) for it in request] == [Request, dict, bytes]


def test_the_value_is_truncated_to_its_budget_and_stays_json(emission: Emission) -> None:
    using = telemetry(emission, "EVENT_ONLY", OTEL_AGENTS_CONTENT_MAX_BYTES="1024")
    interrupted(using, {"approve": "x" * 10_000})
    ((_, attributes),) = emission.events
    assert len(attributes[VALUE]) <= 1024
    assert json.loads(attributes[VALUE])["approve"].startswith("xxx")
    points = emission.points()["otel_agents.content.truncations"]
    assert [total for _, total in points] == [1]


def test_an_encoding_error_costs_only_the_value(
    emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    def edited(value: Any, budget: int) -> Any:
        raise RuntimeError("dictionary changed size during iteration")

    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    monkeypatch.setattr(gate, "encode", edited)
    interrupted(telemetry(emission, "EVENT_ONLY"), {"approve": SECRET})
    assert (emission.events, caught) == ([(NAME, {})], ["encoding event_value"])


def test_the_value_is_redacted_first(
    emission: Emission, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """If the hook cannot be loaded, the value is not emitted."""
    seen: list[str] = []

    def redact(kind: str, value: Any) -> Any:
        seen.append(kind)
        value["approve"] = "***"
        return value

    monkeypatch.setattr("toyagents.redact", redact, raising=False)
    hook = {"OTEL_AGENTS_REDACTION_HOOK": "toyagents:redact"}
    request = {"approve": SECRET}
    interrupted(telemetry(emission, "SPAN_ONLY", **hook), request)
    interrupted(telemetry(emission, "EVENT_ONLY", **hook), request)
    with caplog.at_level(logging.CRITICAL, "otel_agents"):
        missing = {"OTEL_AGENTS_REDACTION_HOOK": "toyagents:no_such"}
        interrupted(telemetry(emission, "EVENT_ONLY", **missing), {"approve": SECRET})
    expected = [attributes for _, attributes in emission.events]
    assert expected == [{}, {VALUE: '{"approve":"***"}'}, {}]
    assert (seen, request) == (["event_value"], {"approve": SECRET})
    assert SECRET not in emission.texts()
