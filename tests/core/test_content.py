"""The gate: disabled content is not touched, and hooks see all content first."""

from __future__ import annotations

import json
import logging
import sys
from types import ModuleType
from typing import Any

import contents
import pytest
from opentelemetry._logs import LogRecord
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import INVALID_SPAN

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.operations import ExecuteTool, Inference, Retrieval
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors._core.telemetry.content import Content, RequestedContent
from otel_agents.instrumentors._core.telemetry.gate import Gate
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

SECRET = "planted-secret"
FIELDS = [
    name for name in vars(Content) if hasattr(vars(Content)[name], "__set__") and name[0] != "_"
]
OTHER_FORMS: dict[str, Any] = {
    "query": SECRET,
    **{name: {"who": SECRET} for name in ("variables", "metadata")},
    "tags": [SECRET],
}
"""Content that is no messages, by the last word of its name."""
CAPTURE = "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"


def telemetry(emission: Emission, hook: Any = None, **environ: str) -> Telemetry:
    settings = Settings.read(environ)
    return Telemetry("test", settings=settings, completion_hook=hook, **emission.providers)


def infer(using: Telemetry, **content: Any) -> None:
    call = Inference(using, Operation.CHAT, "openai", "m", ("h", 1))
    for name, value in content.items():
        setattr(call.content, name, value)
    call.response_id, call.response_model = "r1", "m"
    call.input_tokens, call.output_tokens, call.finish_reasons = 1, 1, ("stop",)
    call.end()


def text_messages(text: str, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "parts": [{"type": "text", "content": text}]}]


def explode() -> Any:
    raise AssertionError("disabled content was converted")


def test_nothing_is_converted_by_default(emission: Emission) -> None:
    infer(telemetry(emission), input_messages=explode, output_messages=explode)
    assert len(emission.spans) == 1


def test_nothing_is_converted_for_an_unrecorded_span() -> None:
    emission = Emission(ALWAYS_OFF)
    infer(telemetry(emission, **{CAPTURE: "SPAN_ONLY"}), input_messages=explode)
    assert emission.spans == ()
    assert "gen_ai.client.operation.duration" in emission.points()
    emission.close()


def test_events_carry_content_whatever_the_sampling() -> None:
    emission = Emission(ALWAYS_OFF)
    infer(telemetry(emission, **{CAPTURE: "EVENT_ONLY"}), input_messages=text_messages("hi"))
    ((name, attributes),) = emission.events
    assert name == "gen_ai.client.inference.operation.details"
    assert attributes["gen_ai.input.messages"]
    emission.close()


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ({"a": 1}, {"a": 1}),
        ('{"a": 1}', {"a": 1}),
        ("{no json", {"result": "{no json"}),
        ("text", {"result": "text"}),
        ([1, 2], {"result": [1, 2]}),
        (14, {"result": 14}),
    ],
)
def test_tool_results_are_objects(value: Any, expected: Any, emission: Emission) -> None:
    tool = ExecuteTool(telemetry(emission, **{CAPTURE: "SPAN_ONLY"}), "search")
    tool.content.tool_result = value
    tool.end()
    text = str((emission.span.attributes or {})["gen_ai.tool.call.result"])
    assert json.loads(text) == expected


def test_a_query_is_plain_text(emission: Emission) -> None:
    retrieval = Retrieval(telemetry(emission, **{CAPTURE: "SPAN_ONLY"}), data_source="docs")
    retrieval.content.retrieval_query = 'what is "it"?'
    retrieval.content.retrieval_documents = [{"id": "d1", "score": 0.5}]
    retrieval.end()
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.retrieval.query.text"] == 'what is "it"?'
    assert attributes["gen_ai.retrieval.documents"] == '[{"id":"d1","score":0.5}]'


def test_the_budget_of_a_span_bounds_all_its_content(emission: Emission) -> None:
    limits = {"OTEL_AGENTS_CONTENT_MAX_BYTES": "1000", "OTEL_AGENTS_SPAN_MAX_BYTES": "1500"}
    using = telemetry(emission, **{CAPTURE: "SPAN_ONLY"}, **limits)
    infer(
        using,
        system_instructions=[{"type": "text", "content": "be brief"}],
        input_messages=text_messages("x" * 5000),
        output_messages=text_messages("y" * 5000, "assistant"),
    )
    attributes = dict(emission.span.attributes or {})
    texts = [str(attributes[name]) for name in attributes if "messages" in name or "system" in name]
    assert len(texts) == 3
    assert sum(len(text.encode()) for text in texts) <= 1500
    assert attributes["otel_agents.content.truncated"] == (
        "gen_ai.input.messages",
        "gen_ai.output.messages",
    )
    assert emission.points()["otel_agents.content.truncations"] == [({}, 2)]


def test_a_failing_conversion_costs_only_its_attribute(
    emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    reported: list[str] = []
    monkeypatch.setattr(errors, "internal_error", reported.append)
    using = telemetry(emission, **{CAPTURE: "SPAN_ONLY"})
    infer(using, input_messages=explode, output_messages=text_messages("hi", "assistant"))
    attributes = dict(emission.span.attributes or {})
    assert "gen_ai.output.messages" in attributes
    assert "gen_ai.input.messages" not in attributes
    assert reported == ["converting input_messages"]


def redact(kind: str, value: Any) -> Any:
    """Remove the secret, and fail on documents."""
    if kind == "retrieval_documents":
        raise ValueError(SECRET)
    return json.loads(json.dumps(value).replace(SECRET, "[redacted]"))


@pytest.fixture
def redaction(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("redactions")
    vars(module)["redact"] = redact
    monkeypatch.setitem(sys.modules, "redactions", module)


@pytest.mark.usefixtures("redaction")
def test_redaction_comes_before_anything_is_set(emission: Emission) -> None:
    seen: list[Any] = []

    class Hook:
        def on_completion(self, **given: Any) -> None:
            seen.append(given["inputs"][0].parts[0].content)

    environ = {CAPTURE: "SPAN_AND_EVENT", "OTEL_AGENTS_REDACTION_HOOK": "redactions:redact"}
    using = telemetry(emission, Hook(), **environ)
    infer(using, input_messages=text_messages(f"my {SECRET}"))
    tool = ExecuteTool(using, "search")
    tool.failed(ValueError(SECRET))
    assert seen == ["my [redacted]"]
    assert "my [redacted]" in emission.texts()
    assert SECRET not in "\n".join(span.to_json() for span in emission.spans)


@pytest.mark.usefixtures("redaction")
def test_a_failing_redaction_drops_the_value_and_is_counted_and_logged_once(
    emission: Emission, counts: Counts, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_REDACTION_HOOK": "redactions:redact"}
    using = telemetry(emission, **environ)
    for _ in range(2):
        retrieval = Retrieval(using)
        retrieval.content.retrieval_documents = [{"id": SECRET}]
        retrieval.content.retrieval_query = "kept"
        retrieval.end()
    assert SECRET not in emission.texts()
    assert (emission.spans[0].attributes or {})["gen_ai.retrieval.query.text"] == "kept"
    assert counts == {"calling the redaction hook": 2}
    (line,) = caplog.messages
    assert line == (
        "otel-agents: the redaction hook failed (ValueError), so the value it was given is not "
        "recorded; further failures are only counted"
    )


def test_a_redaction_sees_a_copy_of_each_kind_and_its_shape_is_kept(
    emission: Emission, counts: Counts
) -> None:
    seen: list[tuple[str, Any]] = []

    def redact(kind: str, value: Any) -> Any:
        seen.append((kind, value))
        if kind == "tool_arguments":
            value["password"] = "***"
        return "no object" if kind == "tool_result" else value

    settings = Settings.read({CAPTURE: "SPAN_ONLY"})
    gate = Gate(settings, redaction_hook=redact)
    arguments = {"password": SECRET}
    assert contents.on_span(gate, tool_arguments=arguments, tool_result=[b"1"]) == {
        "gen_ai.tool.call.arguments": '{"password":"***"}'
    }
    assert arguments == {"password": SECRET}
    assert [kind for kind, _ in seen] == ["tool_arguments", "tool_result"]
    assert list(seen[1][1]) == ["result"]
    assert counts == {"redacting to another shape": 1}
    assert gate.description(ValueError("text")) == "text"
    assert seen[2:] == [("exception_message", "text")]


def test_without_its_redaction_no_content_is_recorded(
    emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_REDACTION_HOOK": "no-such-hook"}
    with caplog.at_level(logging.WARNING, "otel_agents"):
        infer(telemetry(emission, **environ), input_messages=explode)
    assert [record.getMessage() for record in caplog.records] == [
        (
            "otel-agents: the redaction hook 'no-such-hook' cannot be loaded (LookupError: no "
            "entry point of that name in the group otel_agents_redaction_hook), so no content is "
            "recorded; install what provides it, correct OTEL_AGENTS_REDACTION_HOOK, or unset it"
        )
    ]


@pytest.mark.parametrize("value", ["NO_CONTENT", "true", "SPAN_AND_EVENT"])
def test_disabled_content_is_not_touched(value: str, emission: Emission) -> None:
    """Whatever is enabled: without a recorded span or an event, nothing is converted."""
    gate = Gate(Settings.read({CAPTURE: value}))
    span = (
        INVALID_SPAN
        if value == "SPAN_AND_EVENT"
        else emission.tracer_provider.get_tracer("t").start_span("s")
    )
    fields: Any = dict.fromkeys(FIELDS, explode)
    contents.emitted(gate, span, **fields)
    assert gate.enabled is (value == "SPAN_AND_EVENT")


def test_span_and_event_carry_the_same_content_converted_once() -> None:
    converted: list[int] = []

    def convert() -> Any:
        converted.append(1)
        return text_messages("x" * 5000)

    gate = Gate(Settings.read({CAPTURE: "SPAN_AND_EVENT", "OTEL_AGENTS_CONTENT_MAX_BYTES": "1000"}))
    span, record = contents.recorded(), LogRecord()
    contents.emitted(gate, span, record, input_messages=convert)
    on_span = dict(span.attributes)
    text = on_span["gen_ai.input.messages"]
    assert len(text) <= 1000
    assert record.attributes == {**on_span, "gen_ai.input.messages": json.loads(text)}
    assert on_span["otel_agents.content.truncated"] == ("gen_ai.input.messages",)
    assert on_span["otel_agents.content.original_bytes"] == 5056
    assert converted == [1]


@pytest.mark.parametrize(
    ("capture", "on_span", "on_event"),
    [
        ("NO_CONTENT", False, False),
        ("SPAN_ONLY", True, False),
        ("EVENT_ONLY", False, True),
        ("SPAN_AND_EVENT", True, True),
    ],
)
def test_content_is_recorded_only_where_enabled(
    capture: str, on_span: bool, on_event: bool
) -> None:
    gate = Gate(Settings.read({CAPTURE: capture}))
    fields: dict[str, Any] = {
        name: OTHER_FORMS.get(name.rpartition("_")[2], text_messages(SECRET)) for name in FIELDS
    }
    error = ValueError(SECRET)
    policy = gate.policy
    assert (policy.on_span, policy.on_event, gate.enabled) == (
        on_span,
        on_event,
        on_span or on_event,
    )
    assert (SECRET in repr(contents.on_span(gate, **fields))) is on_span
    assert (SECRET in repr(contents.on_event(gate, **fields))) is on_event
    assert gate.description(error) == (SECRET if on_span else None)
    assert (SECRET in repr(gate.exception_attributes(error))) is on_event
    assert gate.exception_attributes(error)["exception.type"] == "ValueError"


def test_disabled_events_carry_no_content() -> None:
    environ = {CAPTURE: "EVENT_ONLY", "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "false"}
    assert Gate(Settings.read(environ)).enabled is False


class Mute(Exception):
    def __str__(self) -> str:
        raise ValueError("it says nothing")


def test_error_texts_are_bounded_and_a_stack_keeps_its_end() -> None:
    truncations: list[int] = []
    environ = {CAPTURE: "SPAN_AND_EVENT", "OTEL_AGENTS_CONTENT_MAX_BYTES": "100"}
    gate = Gate(Settings.read(environ), on_truncation=truncations.append)
    try:
        raise json.JSONDecodeError("ü" * 500, "", 0)
    except ValueError as raised:
        reported = gate.exception_attributes(raised)
    assert reported["exception.type"] == "json.decoder.JSONDecodeError"
    assert reported["exception.message"] == "ü" * 50
    assert len(reported["exception.stacktrace"].encode()) <= 100
    assert reported["exception.stacktrace"].endswith("line 1 column 1 (char 0)\n")
    assert truncations == [1, 1]
    assert gate.description(Mute()) is None
    assert gate.exception_attributes(Mute())["exception.type"].endswith("test_content.Mute")


def test_a_long_request_leaves_room_for_the_response() -> None:
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_SPAN_MAX_BYTES": "2000"}
    attributes = contents.on_span(
        Gate(Settings.read(environ)),
        input_messages=text_messages("x" * 5000),
        output_messages=text_messages("y" * 5000),
    )
    request, response = attributes["gen_ai.input.messages"], attributes["gen_ai.output.messages"]
    assert len(request) + len(response) <= 2000
    assert len(response) > 400


def test_the_best_documents_are_kept_and_the_newest_messages() -> None:
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_CONTENT_MAX_BYTES": "500"}
    attributes = contents.on_span(
        Gate(Settings.read(environ)),
        retrieval_documents=[{"id": f"{n}"} for n in range(100)],
        output_messages=[message for n in range(100) for message in text_messages(f"{n}")],
    )
    assert json.loads(attributes["gen_ai.retrieval.documents"])[0] == {"id": "0"}
    assert json.loads(attributes["gen_ai.output.messages"])[-1:] == [
        {**text_messages("99")[0], "finish_reason": "stop"}
    ]


def test_a_budget_too_small_for_content_leaves_the_marks() -> None:
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_CONTENT_MAX_BYTES": "20"}
    assert contents.on_span(
        Gate(Settings.read(environ)), input_messages=text_messages("x" * 500)
    ) == {
        "otel_agents.content.truncated": ("gen_ai.input.messages",),
        "otel_agents.content.original_bytes": 556,
    }


def test_later_changes_reach_neither_hooks_nor_spans(
    emission: Emission,
) -> None:
    seen: list[str] = []

    class Hook:
        def on_completion(self, **given: Any) -> None:
            seen.append(given["inputs"][0].parts[0].content)

    for hook in (None, Hook()):
        using = telemetry(emission, hook, **{CAPTURE: "SPAN_ONLY"})
        call = Inference(using, Operation.CHAT, "openai", "m", ("h", 1))
        messages = text_messages("SENT")
        call.content.input_messages = messages
        messages[0]["parts"][0]["content"] = "EDITED"
        messages.append({})
        call.response_id, call.response_model = "r1", "m"
        call.input_tokens, call.output_tokens, call.finish_reasons = 1, 1, ("stop",)
        call.end()
    texts = [(span.attributes or {})["gen_ai.input.messages"] for span in emission.spans]
    assert [json.loads(str(text)) for text in texts] == [text_messages("SENT")] * 2
    assert seen == ["SENT"]


def test_setting_a_field_again_replaces_it_and_returns_its_budget() -> None:
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_SPAN_MAX_BYTES": "4000"}
    content = Content(Gate(Settings.read(environ)).policy, True, False)
    for number in range(20):
        content.input_messages = text_messages(f"{number}" * 500)
    span = contents.recorded()
    content.emit(span, None)
    assert json.loads(span.attributes["gen_ai.input.messages"]) == text_messages("19" * 500)


def test_a_layers_request_is_kept_for_the_operation_that_reports_it() -> None:
    kinds: list[str] = []

    def redact(kind: str, value: Any) -> Any:
        kinds.append(kind)
        return value

    for hook, calls in ((None, []), (redact, ["input_messages"])):
        policy = Gate(Settings.read({CAPTURE: "SPAN_ONLY"}), redaction_hook=hook).policy
        request, reported = RequestedContent(policy), Content(policy, True, False)
        messages = text_messages("SENT")
        request.input_messages = messages
        messages[0]["parts"][0]["content"] = "EDITED"
        assert kinds == []
        request.copy_to(reported)
        span = contents.recorded()
        reported.emit(span, None)
        assert json.loads(span.attributes["gen_ai.input.messages"]) == text_messages("SENT")
        assert kinds == calls
