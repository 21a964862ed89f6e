"""Beginning is a transaction and describing is guarded: no error of ours loses a span or its error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from opentelemetry.trace import Span, SpanKind, get_current_span

from otel_agents.instrumentors import (
    ClaimedCall,
    Inference,
    InvokeAgent,
    Operation,
    Runs,
    Step,
    Telemetry,
    wrapped,
)
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.semconv.values import Operation as Kind
from otel_agents.testing.emission import Emission

CHAT = Kind.CHAT


class Overloaded(Exception):
    """The provider refuses."""


class Ours(Exception):
    """An error of our own code."""


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Errors of ours are logged, as in an application."""
    monkeypatch.setattr(errors, "strict", False)
    errors.counts.clear()
    caplog.set_level(logging.WARNING, "otel_agents")
    yield
    errors.counts.clear()


@pytest.fixture
def emission() -> Iterator[Emission]:
    """Held to no convention: what was not described lacks what they ask for."""
    emission = Emission()
    yield emission
    emission.close()


def answer() -> str:
    return "answer"


def refuse() -> str:
    raise Overloaded


def letters() -> Iterator[str]:
    yield from "abc"


def told(emission: Emission) -> list[tuple[str, Any]]:
    """The spans, and their errors."""
    return [(span.name, (span.attributes or {}).get("error.type")) for span in emission.spans]


def infer(telemetry: Telemetry, call: Any) -> Inference:
    return Inference(telemetry, CHAT, "openai", "m", None)


REFUSED = f"{__name__}.Overloaded"


def use(function: Callable[[], Any], telemetry: Telemetry, start: Any) -> Any:
    """What the call of ``function`` gives, read to its end; its error as a value."""
    outer = get_current()
    try:
        value = wrapped(function, telemetry, start)()
        return "".join(value)
    except Overloaded as error:
        return type(error)
    finally:
        assert get_current() is outer
        assert in_progress.operations() == []


# After something was begun.


@pytest.mark.parametrize(
    ("function", "value", "error"),
    [(answer, "answer", None), (refuse, Overloaded, REFUSED), (letters, "abc", None)],
)
def test_what_was_begun_goes_on_where_its_start_fails_afterwards(
    function: Callable[[], Any],
    value: Any,
    error: str | None,
    telemetry: Telemetry,
    emission: Emission,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def start(telemetry: Telemetry, call: Any) -> Operation:
        Step(telemetry, "around")
        Step(telemetry, "begun")
        raise Ours

    assert use(function, telemetry, start) == value
    assert sorted(told(emission)) == [("around", None), ("begun", error)]
    (line,) = caplog.messages
    assert line.startswith("otel-agents failed while beginning an operation (Ours at ")


def test_what_was_begun_is_current_in_the_call(telemetry: Telemetry, emission: Emission) -> None:
    def start(telemetry: Telemetry, call: Any) -> Operation:
        InvokeAgent(telemetry, "begun")
        raise Ours

    def inside() -> str:
        return str(getattr(get_current_span(), "name", None))

    assert use(inside, telemetry, start) == "invoke_agent begun"


def test_what_has_ended_and_what_somebody_has_is_left_to_them(
    telemetry: Telemetry, emission: Emission
) -> None:
    claimed: list[ClaimedCall] = []

    def start(telemetry: Telemetry, call: Any) -> Operation:
        Step(telemetry, "ended").end()
        claimed.append(ClaimedCall(telemetry, CHAT, provider="openai", evident=True))
        claimed[0].start(None)
        raise Ours

    wrapped(answer, telemetry, start)()
    assert [name for name, _ in told(emission)] == ["ended"]
    claimed[0].returned(None)
    assert [name for name, _ in told(emission)] == ["ended", "chat"]


def test_a_run_that_fails_after_it_was_begun_is_known(
    telemetry: Telemetry, emission: Emission
) -> None:
    def begin(parent: Context) -> Operation:
        Step(telemetry, "begun", parent=parent)
        raise Ours

    runs = Runs("toy")
    runs.start("id", None, begin)
    assert told(emission) == []
    runs.fail("id", Overloaded())
    assert told(emission) == [("begun", REFUSED)]


# Before anything could be begun.


class _Raises(SpanProcessor, Sampler, RandomIdGenerator):
    """Code of the application's that raises the first time; all that a span's start asks."""

    def __init__(self) -> None:
        self.raised = False

    def _raise(self) -> None:
        if not self.raised:
            self.raised = True
            raise LookupError("theirs")

    def on_start(self, span: Span, parent_context: Context | None = None) -> None:
        self._raise()

    def generate_span_id(self) -> int:
        self._raise()
        return super().generate_span_id()

    def should_sample(self, *args: Any, **kwargs: Any) -> SamplingResult:
        self._raise()
        return ALWAYS_ON.should_sample(*args, **kwargs)

    def get_description(self) -> str:
        return "raises"


@pytest.mark.parametrize("whose", ["sampler", "id_generator", "processor"])
def test_what_could_not_be_begun_is_undone_and_the_layer_above_reports(
    whose: str, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    raises = _Raises()
    if whose == "processor":
        emission.tracer_provider.add_span_processor(raises)
    else:
        setattr(emission.tracer_provider, whose, raises)
    telemetry = Telemetry("toy", **emission.providers)
    inner = wrapped(answer, telemetry, lambda t, call: Inference(t, CHAT, "inner", "m", None))
    outer: list[ClaimedCall] = []

    def ask(telemetry: Telemetry, call: Any) -> ClaimedCall:
        outer.append(ClaimedCall(telemetry, CHAT, provider="outer", model="m", evident=True))
        return outer[0]

    assert use(inner, telemetry, ask) == "answer"
    assert (outer[0].claim.taken, outer[0].claim.closed) == (False, True)
    (span,) = emission.spans
    assert span.kind is SpanKind.CLIENT
    assert (span.attributes or {})["gen_ai.provider.name"] == "outer"
    (line,) = caplog.messages
    assert line.startswith("otel-agents failed while beginning an operation (LookupError at ")


# Describing.


class _Breaks(ClaimedCall):
    """A layer of which one method raises."""

    def __init__(self, telemetry: Telemetry, breaks_at: str, *, started: bool = False) -> None:
        self._breaks_at = breaks_at
        super().__init__(
            telemetry, CHAT, provider="openai", model="m", evident=True, ask=self._asks
        )
        if started:
            self.start(None)

    def _break(self, name: str) -> None:
        if self._breaks_at == name:
            raise Ours

    def _asks(self, content: Any) -> None:
        self._break("ask")

    def describe(self, call: Any, response: Any) -> None:
        self._break("describe")

    def response_id(self, response: Any) -> str | None:
        self._break("response_id")
        return None

    def chunk(self, item: Any) -> object:
        self._break("chunk")
        return None


@pytest.mark.parametrize("started", [False, True])
@pytest.mark.parametrize("breaks_at", ["describe", "response_id", "chunk", "ask"])
@pytest.mark.parametrize(
    ("function", "value", "error"),
    [(answer, "answer", None), (refuse, Overloaded, REFUSED), (letters, "abc", None)],
)
def test_a_layer_that_cannot_describe_reports_all_the_same(
    function: Callable[[], Any],
    value: Any,
    error: str | None,
    breaks_at: str,
    started: bool,
    telemetry: Telemetry,
    emission: Emission,
) -> None:
    layers: list[_Breaks] = []

    def ask(telemetry: Telemetry, call: Any) -> ClaimedCall:
        layers.append(_Breaks(telemetry, breaks_at, started=started))
        return layers[0]

    assert use(function, telemetry, ask) == value
    assert told(emission) == [("chat m", error)]
    assert layers[0].ended


def test_who_cannot_complete_what_is_below_costs_nothing(
    telemetry: Telemetry, emission: Emission
) -> None:
    class Above(ClaimedCall):
        def complete(self, call: Any) -> None:
            raise Ours

    inner = wrapped(refuse, telemetry, infer)

    def ask(telemetry: Telemetry, call: Any) -> ClaimedCall:
        return Above(telemetry, CHAT, evident=True)

    assert use(inner, telemetry, ask) is Overloaded
    assert told(emission) == [("chat m", REFUSED)]


# The steps of an end.


class _Broken:
    """What something of the application's is replaced by: every method raises."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise Ours

        return fail


def test_metrics_that_cannot_be_recorded_cost_no_span(
    telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "instruments", _Broken())
    assert use(refuse, telemetry, infer) is Overloaded
    assert told(emission) == [("chat m", REFUSED)]
    assert len(emission.events) == 1


def test_events_that_cannot_be_emitted_cost_no_span(
    telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_logger", _Broken())
    assert use(refuse, telemetry, infer) is Overloaded
    assert told(emission) == [("chat m", REFUSED)]
    assert "gen_ai.client.operation.duration" in emission.points()


@pytest.mark.parametrize("method", ["_gather", "conclude", "is_failure"])
def test_a_description_that_fails_keeps_the_providers_error(
    method: str, telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inference, method, _Broken().anything)
    assert use(refuse, telemetry, infer) is Overloaded
    assert told(emission) == [("chat m", REFUSED)]


def test_what_cannot_be_held_open_ends(telemetry: Telemetry, emission: Emission) -> None:
    step = Step(telemetry, "step")
    step.hold_open = _Broken().anything
    step.returned(None)
    assert told(emission) == [("step", None)]
