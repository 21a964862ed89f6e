"""Who owns a model call: the emission of our calls, official calls and foreign spans."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import pytest
from opentelemetry.context import Context, get_value, set_value
from opentelemetry.trace import INVALID_SPAN, get_current_span

from otel_agents.instrumentors import (
    ClaimedCall,
    Embeddings,
    ExecuteTool,
    FetchResponse,
    Inference,
    InvokeAgent,
    Telemetry,
)
from otel_agents.instrumentors._core.context import official
from otel_agents.instrumentors._core.context.ownership import with_foreign_span
from otel_agents.instrumentors._core.operations import ModelCall
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

SERVER = ("toy.example", 443)
EVERYTHING = {
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_AND_EVENT",
    "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
}
MESSAGES = [{"role": "user", "parts": [{"type": "text", "content": "hi"}]}]
INFERENCE_KEY = "opentelemetry.genai.client.inference.context"

KNOWN: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "toy",
    "gen_ai.request.model": "toy-1",
    "server.address": "toy.example",
    "server.port": 443,
}
LEARNT: dict[str, Any] = {
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.id": "r1",
    "gen_ai.response.model": "toy-1.0",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
}
CONTENT = '[{"role":"user","parts":[{"type":"text","content":"hi"}]}]'
EVENT = ("gen_ai.client.inference.operation.details", {**KNOWN, **LEARNT})


@dataclass
class InferenceData:
    """A stand-in for the official package's data object."""

    request_model: str | None = None
    request_temperature: float | None = None
    response_id: str | None = None
    response_model: str | None = None
    response_finish_reasons: list[str] | None = None
    usage_input_tokens: int | None = None
    usage_output_tokens: int | None = None
    server_address: str | None = None
    error_type: str | None = None


@pytest.fixture
def telemetry(emission: Emission, monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    """Telemetry with a stand-in for the official package, which is not needed for this."""
    stand_in: Any = ModuleType(official.MODULE)
    stand_in.InferenceData = InferenceData
    monkeypatch.setitem(sys.modules, official.MODULE, stand_in)
    return Telemetry("toy", settings=Settings.read(EVERYTHING), **emission.providers)


def chat(telemetry: Telemetry, parent: Context, error: BaseException | None = None) -> Inference:
    """Run one call to its end."""
    call = Inference(telemetry, Operation.CHAT, "toy", "toy-1", SERVER, parent=parent)
    call.attributes["gen_ai.request.temperature"] = 0.5
    call.content.input_messages = MESSAGES
    if error is not None:
        call.failed(error)
        return call
    call.response_id, call.response_model, call.finish_reasons = "r1", "toy-1.0", ("stop",)
    call.input_tokens, call.output_tokens = 3, 4
    call.end()
    return call


def without_content(event: tuple[str, dict[str, Any]]) -> tuple[str, dict[str, Any]]:
    name, attributes = event
    return name, {k: v for k, v in attributes.items() if k != "gen_ai.input.messages"}


def tokens(emission: Emission) -> dict[str, Any]:
    points = emission.points()["gen_ai.client.token.usage"]
    return {attributes["gen_ai.token.type"]: total for attributes, total in points}


def parent_of(emission: Emission) -> tuple[InvokeAgent, Context]:
    agent = InvokeAgent(Telemetry("toy", settings=Settings.read({}), **emission.providers), "ada")
    return agent, agent.context


METRICS = {"gen_ai.client.operation.duration", "gen_ai.client.token.usage"}


def test_our_own_call_has_a_span_its_context_metrics_and_event(
    telemetry: Telemetry, emission: Emission
) -> None:
    agent, parent = parent_of(emission)
    call = chat(telemetry, parent)
    (span,) = emission.spans
    assert (span.name, dict(span.attributes or {})) == (
        "chat toy-1",
        {**KNOWN, **LEARNT, "gen_ai.input.messages": CONTENT},
    )
    assert get_current_span(call.context) is call.span
    assert span.parent == agent.span.get_span_context()
    data: Any = get_value(INFERENCE_KEY, call.context)
    assert isinstance(data, InferenceData)
    assert {*emission.points()} == METRICS
    assert tokens(emission) == {"input": 3, "output": 4}
    ((name, attributes),) = emission.events
    assert without_content((name, attributes)) == EVENT
    assert attributes["gen_ai.input.messages"]
    assert [log.log_record.span_id for log in emission.logs] == [span.context.span_id]  # pyright: ignore[reportOptionalMemberAccess]  it has one
    agent.end()
    assert (emission.spans[-1].attributes or {})["gen_ai.usage.input_tokens"] == 3


def test_a_foreign_span_gets_our_metrics_and_event_and_no_second_span(
    telemetry: Telemetry, emission: Emission
) -> None:
    agent, around = parent_of(emission)
    parent = with_foreign_span(around)
    call = chat(telemetry, parent)
    assert (emission.names, call.span, call.context) == ([], INVALID_SPAN, parent)
    assert {*emission.points()} == METRICS
    assert tokens(emission) == {"input": 3, "output": 4}
    ((name, attributes),) = emission.events
    assert without_content((name, attributes)) == EVENT
    agent.end()
    (span,) = emission.spans
    assert [log.log_record.span_id for log in emission.logs] == [span.context.span_id]  # pyright: ignore[reportOptionalMemberAccess]  it has one
    assert (span.attributes or {})["gen_ai.usage.input_tokens"] == 3


def test_a_foreign_span_needs_no_official_package(
    telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delitem(sys.modules, official.MODULE)
    assert chat(telemetry, with_foreign_span(Context())).context == with_foreign_span(Context())
    assert (emission.names, {*emission.points()}) == ([], METRICS)


@pytest.mark.usefixtures("telemetry")
def test_an_operation_of_an_official_call_is_detailed(emission: Emission) -> None:
    plain = Telemetry("toy", settings=Settings.read({}), **emission.providers)
    parents = set_value(INFERENCE_KEY, InferenceData(), Context()), with_foreign_span(Context())
    assert [chat(plain, parent).detailed for parent in parents] == [True, False]


def test_an_official_call_is_filled_in_and_we_emit_nothing(
    telemetry: Telemetry, emission: Emission
) -> None:
    agent, around = parent_of(emission)
    data = InferenceData(request_model="theirs")
    parent = set_value(INFERENCE_KEY, data, around)
    call = chat(telemetry, parent)
    assert (call.span, call.context) == (INVALID_SPAN, parent)
    assert data == InferenceData(
        request_model="theirs",
        request_temperature=0.5,
        response_id="r1",
        response_model="toy-1.0",
        response_finish_reasons=["stop"],
        usage_input_tokens=3,
        usage_output_tokens=4,
        server_address="toy.example",
    )
    assert (emission.names, emission.points(), emission.events) == ([], {}, [])
    agent.end()
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == 3


def test_an_official_call_gets_the_error_type(telemetry: Telemetry, emission: Emission) -> None:
    data = InferenceData()
    chat(telemetry, set_value(INFERENCE_KEY, data, Context()), LookupError("a secret"))
    assert (data.error_type, data.response_id) == ("LookupError", None)
    assert (emission.names, emission.points(), emission.events) == ([], {}, [])


def test_the_error_of_a_call_with_a_foreign_span_is_on_metrics_and_events(
    telemetry: Telemetry, emission: Emission
) -> None:
    chat(telemetry, with_foreign_span(Context()), LookupError())
    ((attributes, _),) = emission.points()["gen_ai.client.operation.duration"]
    assert attributes["error.type"] == "LookupError"
    assert [name for name, _ in emission.events] == [
        "gen_ai.client.inference.operation.details",
        "gen_ai.client.operation.exception",
    ]
    assert emission.names == []


def test_an_official_call_takes_precedence_over_a_foreign_span(
    telemetry: Telemetry, emission: Emission
) -> None:
    data = InferenceData()
    chat(telemetry, set_value(INFERENCE_KEY, data, with_foreign_span(Context())))
    assert (data.response_id, emission.points()) == ("r1", {})


def test_our_call_within_our_call_is_reported(telemetry: Telemetry, emission: Emission) -> None:
    """What we announce in the context is for the official packages, and not for us."""
    outer = Inference(telemetry, Operation.CHAT, "toy", "toy-1", SERVER, parent=Context())
    chat(telemetry, outer.context)
    assert emission.names == ["chat toy-1"]
    outer.discard()


@pytest.mark.parametrize("around", ["foreign", "official"])
def test_other_kinds_of_calls_and_calls_in_a_tool_are_ours(
    around: str, telemetry: Telemetry, emission: Emission
) -> None:
    data = InferenceData()
    parent = with_foreign_span(Context()) if around == "foreign" else set_value(INFERENCE_KEY, data)
    tool = ExecuteTool(telemetry, "search", parent=parent)
    chat(telemetry, tool.context)
    tool.end()
    if around == "official":
        fetch = FetchResponse(telemetry, "toy", "r1", SERVER, parent=parent)
        fetch.response_model = "toy-1"
        fetch.attributes["gen_ai.response.status"] = "queued"
        fetch.end()
        embeddings = Embeddings(telemetry, Operation.EMBEDDINGS, "toy", "e", SERVER, parent=parent)
        embeddings.response_model, embeddings.input_tokens = "e", 1
        embeddings.end()
    expected = ["chat toy-1", "execute_tool search"]
    expected += ["fetch_response", "embeddings e"] if around == "official" else []
    assert (emission.names, data) == (expected, InferenceData())


def test_a_claim_reports_to_an_official_call_as_well(
    telemetry: Telemetry, emission: Emission
) -> None:
    class Own(ClaimedCall):
        def describe(self, call: ModelCall, response: Any) -> None:
            call.response_id = "r1"

    data = InferenceData()
    parent = set_value(INFERENCE_KEY, data)
    Own(telemetry, Operation.CHAT, model="m", sends_itself=True, parent=parent).returned("answer")
    assert (data.request_model, data.response_id, emission.names) == ("m", "r1", [])
