"""A library's own span owns the first response that completes in a call that the library claims."""

from __future__ import annotations

from asyncio import CancelledError
from typing import Any

import pytest
from opentelemetry import metrics
from opentelemetry.context import Context
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import INVALID_SPAN, Span, get_current_span, set_span_in_context

from otel_agents.instrumentors import Embeddings, ExecuteTool, Inference, InvokeAgent, Telemetry
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.context.ownership import open_foreign_claim
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

SERVER = ("toy.example", 443)
LIBRARY = ForeignLibrary(("house",))
TOKENS = "gen_ai.client.token.usage"
DURATION = "gen_ai.client.operation.duration"
EVENT = "gen_ai.client.inference.operation.details"
EMITTING = {
    "OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT": "true",
    "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "SPAN_ONLY",
}
COMPLETED: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "toy",
    "gen_ai.request.model": "toy-1",
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.response.id": "r1",
    "gen_ai.response.model": "toy-1.0",
    "gen_ai.usage.input_tokens": 3,
    "gen_ai.usage.output_tokens": 4,
    "server.address": "toy.example",
    "server.port": 443,
}


@pytest.fixture
def telemetry(emission: Emission, monkeypatch: pytest.MonkeyPatch) -> Telemetry:
    """Return what our operations emit with: to the providers of the process."""
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: emission.meter_provider)
    return Telemetry("toy", settings=Settings.read(EMITTING), **emission.providers)


@pytest.fixture
def their_span(emission: Emission) -> Span:
    """Return the library's span of a call, which stays open."""
    return start_theirs(emission)


def start_theirs(emission: Emission, parent: Context | None = None) -> Span:
    tracer = emission.tracer_provider.get_tracer("house")
    return tracer.start_span("chat toy-1", parent, attributes={"gen_ai.operation.name": "chat"})


def within(span: Span, claim: ForeignClaim) -> Context:
    claim.notice(span)
    return open_foreign_claim(claim, set_span_in_context(span, Context()))


def started(telemetry: Telemetry, parent: Context, **options: Any) -> Inference:
    return Inference(telemetry, Operation.CHAT, "toy", "toy-1", SERVER, parent=parent, **options)


def chat(
    telemetry: Telemetry, parent: Context, error: BaseException | None = None, **options: Any
) -> Inference:
    call = started(telemetry, parent, **options)
    if error is None:
        respond(call)
        call.end()
    else:
        call.failed(error)
    return call


def respond(call: Inference, number: int = 1) -> None:
    call.response_id, call.response_model = f"r{number}", "toy-1.0"
    call.input_tokens, call.output_tokens, call.finish_reasons = 3, 4, ("stop",)


def attributes(span: Any) -> dict[str, Any]:
    return dict(span.attributes or {})


def ours(emission: Emission) -> list[ReadableSpan]:
    return [
        span
        for span in emission.spans
        if span.instrumentation_scope and span.instrumentation_scope.name == "toy"
    ]


def test_the_first_response_completes_the_span_of_the_library(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    call = chat(telemetry, within(their_span, ForeignClaim(LIBRARY)))
    assert (call.span, emission.names) == (INVALID_SPAN, [])
    assert get_current_span(call.context) is their_span
    assert attributes(their_span) == COMPLETED
    points = emission.points()
    assert sum(value for _, value in points[TOKENS]) == 7
    assert len(points[DURATION]) == 1
    assert [name for name, _ in emission.events] == [EVENT]
    assert emission.logs[0].log_record.span_id == their_span.get_span_context().span_id


def test_what_the_library_has_set_stays_unless_it_miscounts(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    theirs: dict[str, Any] = {"server.address": "theirs.example", "gen_ai.usage.output_tokens": 9}
    their_span.set_attributes(theirs)
    chat(telemetry, within(their_span, ForeignClaim(LIBRARY)))
    assert attributes(their_span) == {**COMPLETED, **theirs}
    miscounting = LIBRARY._replace(miscounts=True)
    chat(telemetry, within(their_span, ForeignClaim(miscounting)))
    assert attributes(their_span)["gen_ai.usage.output_tokens"] == 4


def test_content_that_is_enabled_is_on_the_span_of_the_library(
    telemetry: Telemetry, their_span: Span
) -> None:
    call = started(telemetry, within(their_span, ForeignClaim(LIBRARY)))
    call.content.input_messages = [
        {"role": "user", "parts": [{"type": "text", "content": "hello"}]}
    ]
    respond(call)
    call.end()
    assert "hello" in attributes(their_span)["gen_ai.input.messages"]


def test_further_responses_are_ours(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    parent = within(their_span, ForeignClaim(LIBRARY))
    chat(telemetry, parent)
    chat(telemetry, parent)
    assert emission.names == ["chat toy-1"]
    assert ours(emission)[0].parent == their_span.get_span_context()


def test_of_two_at_a_time_the_one_that_completes_first_is_the_library_s(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    parent = within(their_span, ForeignClaim(LIBRARY))
    slow, quick = started(telemetry, parent), started(telemetry, parent)
    for call, number in ((quick, 1), (slow, 2)):
        respond(call, number)
        call.end()
    assert attributes(their_span)["gen_ai.response.id"] == "r1"
    (span,) = ours(emission)
    assert attributes(span)["gen_ai.response.id"] == "r2"
    assert (span.start_time, span.end_time) == (slow.start_time, slow.end_time)


@pytest.mark.parametrize("error", [LookupError("no"), KeyboardInterrupt(), None])
def test_a_failed_attempt_is_ours_and_the_next_response_the_library_s(
    error: BaseException | None, telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    parent = within(their_span, ForeignClaim(LIBRARY))
    if error is None:
        started(telemetry, parent).interrupt()
    else:
        chat(telemetry, parent, error)
    chat(telemetry, parent)
    (span,) = ours(emission)
    name = "interrupted" if error is None else type(error).__name__
    assert attributes(span)["error.type"] == name
    assert span.parent == their_span.get_span_context()
    assert attributes(their_span) == COMPLETED


def test_a_response_that_reports_its_failure_is_the_library_s(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    call = started(telemetry, within(their_span, ForeignClaim(LIBRARY)))
    respond(call)
    call.mark_failed("server_error")
    call.end()
    assert emission.names == []
    assert attributes(their_span) == {**COMPLETED, "error.type": "server_error"}


def test_metrics_and_the_event_that_the_library_has_are_not_ours(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    library = ForeignLibrary(("house",), frozenset({TOKENS}), event=True)
    chat(telemetry, within(their_span, ForeignClaim(library)))
    points = emission.points()
    assert (TOKENS in points, len(points[DURATION])) == (False, 1)
    assert emission.events == []


@pytest.mark.parametrize("error", [LookupError(), CancelledError(), None])
@pytest.mark.parametrize("failures", [BaseException, Exception, None])
def test_a_failure_is_in_the_metrics_once(
    failures: type[BaseException] | None,
    error: BaseException | None,
    telemetry: Telemetry,
    emission: Emission,
    their_span: Span,
) -> None:
    """Without an error the call is interrupted, and the library does not get to record anything."""
    library = ForeignLibrary(("house",), frozenset({DURATION}), failures=failures)
    claim = ForeignClaim(library)
    parent = within(their_span, claim)
    if error is None:
        started(telemetry, parent).interrupt()
    else:
        chat(telemetry, parent, error)
    claim.close()
    theirs = failures is not None and isinstance(error, failures)
    assert len(emission.points().get(DURATION, [])) == (0 if theirs else 1)
    assert emission.names == ["chat toy-1"]


def durations(emission: Emission) -> list[str | None]:
    """Return the ``error.type`` of each duration that we recorded."""
    points = emission.points().get(DURATION, [])
    return sorted((dict(of).get("error.type") for of, _ in points), key=str)


@pytest.mark.parametrize("replaced", [False, True])
def test_a_failure_that_another_attempt_follows_is_in_our_metrics(
    replaced: bool, telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    """The library records one duration of all, and of the response tokens."""
    span = emission.tracer_provider.get_tracer("other").start_span("x") if replaced else their_span
    claim = ForeignClaim(ForeignLibrary(("house",), frozenset({TOKENS, DURATION})))
    parent = within(span, claim)
    chat(telemetry, parent, LookupError())
    assert durations(emission) == []
    chat(telemetry, parent, TimeoutError())
    assert durations(emission) == ["LookupError"]
    chat(telemetry, parent)
    assert durations(emission) == ["LookupError", "TimeoutError"]
    assert TOKENS not in emission.points()
    chat(telemetry, parent, ValueError())  # the response that is the library's was before
    assert durations(emission) == ["LookupError", "TimeoutError", "ValueError"]
    claim.close()


def test_metrics_that_go_elsewhere_are_ours(emission: Emission, their_span: Span) -> None:
    apart = Telemetry("toy", settings=Settings.read({}), **emission.providers)
    library = ForeignLibrary(("house",), frozenset({TOKENS, DURATION}))
    chat(apart, within(their_span, ForeignClaim(library)))
    assert {TOKENS, DURATION} <= {*emission.points()}


def test_a_span_that_goes_elsewhere_owns_nothing(telemetry: Telemetry, emission: Emission) -> None:
    elsewhere = Emission()
    tracer = elsewhere.tracer_provider.get_tracer("house")
    span = tracer.start_span("chat", attributes={"gen_ai.operation.name": "chat"})
    chat(telemetry, within(span, ForeignClaim(LIBRARY)))
    chat(telemetry, within(INVALID_SPAN, ForeignClaim(LIBRARY, tracer=tracer)))
    assert emission.names == ["chat toy-1"] * 2
    elsewhere.close()


@pytest.mark.parametrize(("scope", "operation"), [("other", "chat"), ("house", "invoke_agent")])
def test_another_span_between_owns_nothing(
    scope: str, operation: str, telemetry: Telemetry, emission: Emission
) -> None:
    tracer = emission.tracer_provider.get_tracer(scope)
    span = tracer.start_span("between", attributes={"gen_ai.operation.name": operation})
    chat(telemetry, within(span, ForeignClaim(LIBRARY)))
    assert emission.names == ["chat toy-1"]


def test_a_span_that_somebody_wrote_around_calls_owns_nothing(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    for _ in range(3):
        chat(telemetry, set_span_in_context(their_span, Context()))
    assert emission.names == ["chat toy-1"] * 3


def test_a_span_that_starts_within_the_claim_is_noticed(
    telemetry: Telemetry, emission: Emission
) -> None:
    claim = ForeignClaim(LIBRARY)
    context = open_foreign_claim(claim, Context())
    span = start_theirs(emission, context)
    call = chat(telemetry, context)  # it is not the current one
    assert emission.names == []
    assert attributes(span) == COMPLETED
    assert get_current_span(call.context) is span


def test_what_is_not_sampled_is_in_our_metrics(monkeypatch: pytest.MonkeyPatch) -> None:
    emission = Emission(ALWAYS_OFF)
    monkeypatch.setattr(metrics, "get_meter_provider", lambda: emission.meter_provider)
    telemetry = Telemetry("toy", settings=Settings.read({}), **emission.providers)
    tracer = emission.tracer_provider.get_tracer("house")
    library = ForeignLibrary(("house",), frozenset({TOKENS}))
    chat(telemetry, within(tracer.start_span("chat"), ForeignClaim(library, tracer=tracer)))
    points = emission.points()
    assert (emission.names, TOKENS in points, len(points[DURATION])) == ([], False, 1)
    emission.close()


def test_a_claim_is_over_with_its_call(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    claim = ForeignClaim(LIBRARY)
    parent = within(their_span, claim)
    early = started(telemetry, parent)
    claim.close()
    chat(telemetry, parent)  # of a background task, which keeps the context
    assert emission.names == ["chat toy-1"]
    respond(early)
    early.end()
    assert emission.names == ["chat toy-1"]
    assert attributes(their_span) == COMPLETED


def test_what_a_layer_reports_afterwards_is_of_the_time_when_it_was_sent(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    claim = ForeignClaim(LIBRARY)
    parent = within(their_span, claim)
    sent = started(telemetry, Context())
    claim.close()
    chat(telemetry, parent, start_time=sent.start_time)
    sent.discard()
    assert emission.names == []
    assert attributes(their_span) == COMPLETED


def test_calls_in_a_tool_and_of_another_kind_and_within_a_call_are_ours(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    parent = within(their_span, ForeignClaim(LIBRARY))
    tool = ExecuteTool(telemetry, "search", parent=parent)
    chat(telemetry, tool.context)
    tool.end()
    embeddings = Embeddings(telemetry, Operation.EMBEDDINGS, "toy", "toy-1", SERVER, parent=parent)
    embeddings.input_tokens, embeddings.response_model = 3, "toy-1.0"
    embeddings.end()
    outer = started(telemetry, parent)
    chat(telemetry, outer.context)
    assert emission.names == ["chat toy-1", "execute_tool search", "embeddings toy-1", "chat toy-1"]
    respond(outer)
    outer.end()
    assert attributes(their_span) == COMPLETED


def test_an_agent_of_ours_around_sums_the_tokens(telemetry: Telemetry, emission: Emission) -> None:
    agent = InvokeAgent(telemetry, "planner", parent=Context())
    span = start_theirs(emission, agent.context)
    context = set_span_in_context(span, open_foreign_claim(ForeignClaim(LIBRARY), agent.context))
    chat(telemetry, context)
    agent.end()
    assert attributes(emission.spans[-1])["gen_ai.usage.input_tokens"] == 3


@pytest.mark.parametrize("first", ["call", "response"])
def test_a_span_that_its_library_leaves_open_ends_when_its_stream_is_left(
    first: str, telemetry: Telemetry, emission: Emission
) -> None:
    span = start_theirs(emission)
    claim = ForeignClaim(LIBRARY._replace(leaves_open=True), span=span)
    call = started(telemetry, within(span, claim))
    steps = [claim.leave_call, call.abandoned]
    for step in steps if first == "call" else reversed(steps):
        assert emission.names == []
        step()
    (ended,) = emission.spans
    assert attributes(ended)["otel_agents.stream.abandoned"] is True


def test_where_the_span_is_replaced_the_metrics_of_the_library_stay(
    telemetry: Telemetry, emission: Emission
) -> None:
    span = emission.tracer_provider.get_tracer("replacing").start_span("its call")
    parent = within(span, ForeignClaim(LIBRARY._replace(metrics=frozenset({TOKENS}))))
    chat(telemetry, parent)
    assert (emission.names, TOKENS in emission.points()) == (["chat toy-1"], False)
    chat(telemetry, parent)  # further responses are ours
    assert sum(value for _, value in emission.points()[TOKENS]) == 7


def test_a_span_of_an_agent_around_the_call_owns_nothing(
    telemetry: Telemetry, emission: Emission, their_span: Span
) -> None:
    """Another instrumentation may let the library write on the span around."""
    claim = ForeignClaim(LIBRARY)
    chat(telemetry, open_foreign_claim(claim, set_span_in_context(their_span, Context())))
    assert emission.names == ["chat toy-1"]


def test_a_library_without_a_span_of_the_call_writes_on_none(
    telemetry: Telemetry, emission: Emission
) -> None:
    """Its tracer yields the span around, an agent's, since another instrumentation replaced it."""
    agent = emission.tracer_provider.get_tracer("house").start_span("agent")
    library = LIBRARY._replace(metrics=frozenset({TOKENS}), has_span=False)
    parent = open_foreign_claim(ForeignClaim(library), set_span_in_context(agent, Context()))
    get_current_span(parent).set_attribute("gen_ai.operation.name", "chat")
    chat(telemetry, parent)
    agent.end()
    call, around = emission.spans
    assert (call.name, call.parent) == ("chat toy-1", agent.get_span_context())
    assert attributes(around) == {}
    assert TOKENS not in emission.points()


def test_unless_it_starts_one_after_all(telemetry: Telemetry, emission: Emission) -> None:
    context = open_foreign_claim(ForeignClaim(LIBRARY._replace(has_span=False)), Context())
    span = start_theirs(emission, context)
    chat(telemetry, set_span_in_context(span, context))
    assert emission.names == []
    assert attributes(span) == COMPLETED
