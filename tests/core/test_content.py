"""The gate: nothing is touched that nobody asked for, and hooks see everything first."""

from __future__ import annotations

import json
import logging
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest
from emission import Emission
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF

from otel_agents.instrumentors._core import errors, media
from otel_agents.instrumentors._core.operations import ExecuteTool, Inference, Retrieval
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation

SECRET = "planted-secret"
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


def said(text: str, role: str = "user") -> list[dict[str, Any]]:
    return [{"role": role, "parts": [{"type": "text", "content": text}]}]


def explode() -> Any:
    raise AssertionError("content was converted that nobody asked for")


def test_nothing_is_converted_by_default(emission: Emission) -> None:
    infer(telemetry(emission), input_messages=explode, output_messages=explode)
    assert len(emission.spans) == 1


def test_nothing_is_converted_for_a_span_that_is_not_recorded() -> None:
    emission = Emission(ALWAYS_OFF)
    infer(telemetry(emission, **{CAPTURE: "SPAN_ONLY"}), input_messages=explode)
    assert emission.spans == ()
    assert "gen_ai.client.operation.duration" in emission.points()
    emission.close()


def test_events_carry_content_whatever_the_sampling() -> None:
    emission = Emission(ALWAYS_OFF)
    infer(telemetry(emission, **{CAPTURE: "EVENT_ONLY"}), input_messages=said("hi"))
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
def test_results_of_tools_are_objects(value: Any, expected: Any, emission: Emission) -> None:
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
        input_messages=said("x" * 5000),
        output_messages=said("y" * 5000, "assistant"),
        system_instructions=[{"type": "text", "content": "be brief"}],
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


def test_a_conversion_that_fails_costs_only_its_attribute(
    emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(errors, "internal_error", told.append)
    using = telemetry(emission, **{CAPTURE: "SPAN_ONLY"})
    infer(using, input_messages=explode, output_messages=said("hi", "assistant"))
    attributes = dict(emission.span.attributes or {})
    assert "gen_ai.output.messages" in attributes
    assert "gen_ai.input.messages" not in attributes
    assert told == ["converting input_messages"]


def redact(kind: str, value: Any) -> Any:
    """Takes the secret out, and fails on documents."""
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
    infer(using, input_messages=said(f"my {SECRET}"))
    tool = ExecuteTool(using, "search")
    tool.failed(ValueError(SECRET))
    assert seen == ["my [redacted]"]
    assert "my [redacted]" in emission.texts()
    assert SECRET not in "\n".join(span.to_json() for span in emission.spans)


@pytest.mark.usefixtures("redaction")
def test_a_value_whose_redaction_fails_is_dropped(
    emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(errors, "internal_error", told.append)
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_REDACTION_HOOK": "redactions:redact"}
    retrieval = Retrieval(telemetry(emission, **environ))
    retrieval.content.retrieval_documents = [{"id": SECRET}]
    retrieval.end()
    assert SECRET not in emission.texts()
    assert told == ["redacting; the value is dropped"]


def test_without_its_redaction_no_content_leaves(
    emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    environ = {CAPTURE: "SPAN_ONLY", "OTEL_AGENTS_REDACTION_HOOK": "no-such-hook"}
    with caplog.at_level(logging.WARNING, "otel_agents"):
        infer(telemetry(emission, **environ), input_messages=explode)
    assert [record.getMessage() for record in caplog.records] == [
        (
            "otel-agents: the redaction hook 'no-such-hook' cannot be loaded (no entry point of "
            "that name in the group otel_agents_redaction_hook), so no content is recorded; "
            "install the package that brings it, or unset OTEL_AGENTS_REDACTION_HOOK"
        )
    ]


def change(given: dict[str, Any]) -> None:
    given["inputs"][0].parts[0].content = "changed"


def fail(given: dict[str, Any]) -> None:
    raise ValueError(SECRET)


@pytest.mark.parametrize(("act", "recorded"), [(change, "changed"), (fail, "hi")])
def test_a_hook_may_change_what_is_recorded_and_may_fail(
    act: Callable[[dict[str, Any]], None],
    recorded: str,
    emission: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    told: list[str] = []
    monkeypatch.setattr(errors, "internal_error", told.append)

    class Hook:
        def on_completion(self, **given: Any) -> None:
            act(given)

    infer(telemetry(emission, Hook(), **{CAPTURE: "SPAN_ONLY"}), input_messages=said("hi"))
    text = str((emission.span.attributes or {})["gen_ai.input.messages"])
    assert json.loads(text) == said(recorded)
    assert told == (["calling the completion hook"] if act is fail else [])


def test_a_hook_that_cannot_be_loaded_is_told(
    emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "otel_agents"):
        using = telemetry(emission, OTEL_INSTRUMENTATION_GENAI_COMPLETION_HOOK="no-such-hook")
    assert using.gate.wanted is False
    assert "the completion hook 'no-such-hook' cannot be loaded" in caplog.text


def test_media_are_placeholders() -> None:
    part = media.part_from_url("data:text/plain,hello%20you", "document")
    assert (part["mime_type"], part["content"]) == ("text/plain", "")
    assert media.part_from_url("https://x.example/a.png", "image") == {
        "type": "uri",
        "modality": "image",
        "uri": "https://x.example/a.png",
    }
    assert media.part_from_base64("not base64!", "audio/wav", "audio")["otel_agents.bytes"] > 0
