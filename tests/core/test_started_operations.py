"""Starting is a transaction and describing is guarded: our errors lose no span and no error."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
from opentelemetry.context import Context, get_current
from opentelemetry.sdk.trace import SpanProcessor
from opentelemetry.sdk.trace.id_generator import RandomIdGenerator
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler, SamplingResult
from opentelemetry.trace import Span, get_current_span

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
from otel_agents.instrumentors._core.operations import in_progress, operation
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.values import Operation as Kind
from otel_agents.testing.emission import Emission

CHAT = Kind.CHAT


class Overloaded(Exception):
    """An error of the provider."""


class Ours(Exception):
    """An error in our own code."""


@pytest.fixture(autouse=True)
def logged(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> Iterator[None]:
    """Log our errors, as in an application."""
    monkeypatch.setattr(errors, "strict", False)
    errors.counts.clear()
    caplog.set_level(logging.WARNING, "otel_agents")
    yield
    errors.counts.clear()


@pytest.fixture
def emission() -> Iterator[Emission]:
    """Skip the conformance check: spans that were not described lack attributes."""
    emission = Emission()
    yield emission
    emission.close()


def reply() -> str:
    return "answer"


def refuse() -> str:
    raise Overloaded


def letters() -> Iterator[str]:
    yield from "abc"


def spans_of(emission: Emission) -> list[tuple[str, Any]]:
    """Return the spans with their errors."""
    return [(span.name, (span.attributes or {}).get("error.type")) for span in emission.spans]


def infer(telemetry: Telemetry, call: Any) -> Inference:
    return Inference(telemetry, CHAT, "openai", "m", None)


REFUSED = f"{__name__}.Overloaded"


def use(function: Callable[[], Any], telemetry: Telemetry, start: Any) -> Any:
    """Return what the call of ``function`` gives, read to its end; an error as a value."""
    outer = get_current()
    try:
        value = wrapped(function, telemetry, start)()
        return "".join(value)
    except Overloaded as error:
        return type(error)
    finally:
        assert get_current() is outer
        assert in_progress.operations() == []


# After an operation was started.


@pytest.mark.parametrize(
    ("function", "value", "error"),
    [(reply, "answer", None), (refuse, Overloaded, REFUSED), (letters, "abc", None)],
)
def test_started_operations_go_on_if_their_start_function_raises(
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
    assert sorted(spans_of(emission)) == [("around", None), ("begun", error)]
    (line,) = caplog.messages
    assert line.startswith("otel-agents failed while starting an operation (Ours at ")


def test_a_started_operation_is_current_in_the_call(
    telemetry: Telemetry, emission: Emission
) -> None:
    def start(telemetry: Telemetry, call: Any) -> Operation:
        InvokeAgent(telemetry, "begun")
        raise Ours

    def inside() -> str:
        return str(getattr(get_current_span(), "name", None))

    assert use(inside, telemetry, start) == "invoke_agent begun"


def test_ended_and_released_operations_are_left_alone(
    telemetry: Telemetry, emission: Emission
) -> None:
    claimed: list[ClaimedCall] = []

    def start(telemetry: Telemetry, call: Any) -> Operation:
        Step(telemetry, "ended").end()
        claimed.append(ClaimedCall(telemetry, CHAT, provider="openai", sends_itself=True))
        claimed[0].start(None)
        raise Ours

    wrapped(reply, telemetry, start)()
    assert [name for name, _ in spans_of(emission)] == ["ended"]
    claimed[0].returned(None)
    assert [name for name, _ in spans_of(emission)] == ["ended", "chat"]


def test_a_run_whose_start_fails_afterwards_is_in_the_table(
    telemetry: Telemetry, emission: Emission
) -> None:
    def begin(parent: Context) -> Operation:
        Step(telemetry, "begun", parent=parent)
        raise Ours

    runs = Runs("toy")
    runs.start("id", None, begin)
    assert spans_of(emission) == []
    runs.fail("id", Overloaded())
    assert spans_of(emission) == [("begun", REFUSED)]


# Before an operation was started.


class _Raises(SpanProcessor, Sampler, RandomIdGenerator):
    """Application code that raises the first time; everything that the start of a span calls."""

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


@pytest.fixture(params=["sampler", "id_generator", "processor"])
def raises(request: pytest.FixtureRequest, emission: Emission) -> Iterator[_Raises]:
    """A part of the tracer provider."""
    raises = _Raises()
    if request.param == "processor":
        emission.tracer_provider.add_span_processor(raises)
    else:
        setattr(emission.tracer_provider, request.param, raises)
    errors.foreign.clear()
    yield raises
    assert errors.foreign == {"starting a span": 1}
    errors.foreign.clear()


@pytest.mark.parametrize(
    ("function", "value", "error"),
    [(reply, "answer", None), (refuse, Overloaded, REFUSED), (letters, "abc", None)],
)
def test_an_operation_without_a_span_is_measured_and_logged_once(
    function: Callable[[], Any],
    value: Any,
    error: str | None,
    raises: _Raises,
    emission: Emission,
    caplog: pytest.LogCaptureFixture,
) -> None:
    settings = replace(Settings.read(), emit_event=True)
    telemetry = Telemetry("toy", settings=settings, **emission.providers)
    inner = wrapped(function, telemetry, infer)
    outer: list[ClaimedCall] = []

    def request(telemetry: Telemetry, call: Any) -> ClaimedCall:
        outer.append(ClaimedCall(telemetry, CHAT, provider="outer", model="m", sends_itself=True))
        return outer[0]

    assert use(inner, telemetry, request) == value
    assert (outer[0].claim.taken, outer[0].claim.closed) == (True, True)
    assert spans_of(emission) == []
    (metric,) = emission.metrics()
    (point,) = metric.data.data_points
    expected = {"gen_ai.provider.name": "openai", "error.type": error}
    assert point.count == 1
    assert {name: point.attributes.get(name) for name in expected} == expected
    names = ["gen_ai.client.inference.operation.details"]
    names += ["gen_ai.client.operation.exception"] if error else []
    assert [name for name, _ in emission.events] == names
    (line,) = caplog.messages
    assert line.startswith("otel-agents: starting a span failed in foreign code (LookupError")


@pytest.mark.parametrize("method", ["on_start", "on_end"])
def test_a_foreign_processor_that_raises_is_reported_as_foreign(
    method: str, telemetry: Telemetry, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    processor = SpanProcessor()
    setattr(processor, method, _Broken().anything)
    emission.tracer_provider.add_span_processor(processor)
    for _ in range(2):
        assert use(reply, telemetry, infer) == "answer"
    action = "starting a span" if method == "on_start" else "ending a span"
    assert (dict(errors.foreign), dict(errors.counts)) == ({action: 2}, {})
    errors.foreign.clear()
    (line,) = caplog.messages
    assert line.startswith(f"otel-agents: {action} failed in foreign code (Ours at ")


def test_children_of_an_operation_without_a_span_belong_to_its_parent(
    raises: _Raises, emission: Emission
) -> None:
    telemetry = Telemetry("toy", **emission.providers)

    def inside() -> str:
        Step(telemetry, "inside").end()
        return str(getattr(get_current_span(), "name", None))

    raises.raised = True
    with emission.tracer_provider.get_tracer("t").start_as_current_span("around"):
        raises.raised = False
        assert wrapped(inside, telemetry, lambda t, call: InvokeAgent(t, "agent"))() == "around"
    assert emission.tree() == ["around", "  inside"]


def test_a_failed_start_is_undone_and_the_layer_above_reports(
    telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    outer: list[ClaimedCall] = []

    def request(telemetry: Telemetry, call: Any) -> ClaimedCall:
        outer.append(ClaimedCall(telemetry, CHAT, provider="outer", model="m", sends_itself=True))
        return outer[0]

    def start(telemetry: Telemetry, call: Any) -> Operation:
        with monkeypatch.context() as patch:
            patch.setattr(operation, "next_number", _Broken().anything)  # at its very end
            return infer(telemetry, call)

    assert use(wrapped(reply, telemetry, start), telemetry, request) == "answer"
    assert (outer[0].claim.taken, outer[0].claim.closed) == (False, True)
    assert spans_of(emission) == [("chat m", None)]
    assert (emission.span.attributes or {})["gen_ai.provider.name"] == "outer"


# Describing.


class _Breaks(ClaimedCall):
    """A layer of which one method raises."""

    def __init__(self, telemetry: Telemetry, breaks_at: str, *, started: bool = False) -> None:
        self._breaks_at = breaks_at
        super().__init__(
            telemetry,
            CHAT,
            provider="openai",
            model="m",
            sends_itself=True,
            record_request=self._record_request,
        )
        if started:
            self.start(None)

    def _break(self, name: str) -> None:
        if self._breaks_at == name:
            raise Ours

    def _record_request(self, content: Any) -> None:
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
    [(reply, "answer", None), (refuse, Overloaded, REFUSED), (letters, "abc", None)],
)
def test_a_layer_whose_description_fails_still_reports(
    function: Callable[[], Any],
    value: Any,
    error: str | None,
    breaks_at: str,
    started: bool,
    telemetry: Telemetry,
    emission: Emission,
) -> None:
    layers: list[_Breaks] = []

    def request(telemetry: Telemetry, call: Any) -> ClaimedCall:
        layers.append(_Breaks(telemetry, breaks_at, started=started))
        return layers[0]

    assert use(function, telemetry, request) == value
    assert spans_of(emission) == [("chat m", error)]
    assert layers[0].ended


def test_a_failing_complete_costs_nothing(telemetry: Telemetry, emission: Emission) -> None:
    class Above(ClaimedCall):
        def complete(self, call: Any) -> None:
            raise Ours

    inner = wrapped(refuse, telemetry, infer)

    def request(telemetry: Telemetry, call: Any) -> ClaimedCall:
        return Above(telemetry, CHAT, sends_itself=True)

    assert use(inner, telemetry, request) is Overloaded
    assert spans_of(emission) == [("chat m", REFUSED)]


# The steps of an end.


class _Broken:
    """A replacement for application code: every method raises."""

    def __getattr__(self, name: str) -> Any:
        def fail(*args: Any, **kwargs: Any) -> Any:
            raise Ours

        return fail


def test_a_failing_metric_costs_no_span(
    telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "instruments", _Broken())
    assert use(refuse, telemetry, infer) is Overloaded
    assert spans_of(emission) == [("chat m", REFUSED)]
    assert len(emission.events) == 1


def test_a_failing_event_costs_no_span(
    telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(telemetry, "_logger", _Broken())
    assert use(refuse, telemetry, infer) is Overloaded
    assert spans_of(emission) == [("chat m", REFUSED)]
    assert "gen_ai.client.operation.duration" in emission.points()
    assert (dict(errors.foreign), dict(errors.counts)) == ({"emitting an event": 1}, {})
    errors.foreign.clear()


@pytest.mark.parametrize("method", ["_finalize", "conclude", "is_failure"])
def test_a_failing_description_keeps_the_providers_error(
    method: str, telemetry: Telemetry, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Inference, method, _Broken().anything)
    assert use(refuse, telemetry, infer) is Overloaded
    assert spans_of(emission) == [("chat m", REFUSED)]


@pytest.mark.parametrize(
    ("method", "code"), [("conclude", "overloaded"), ("error_code", REFUSED), (None, "overloaded")]
)
def test_a_failing_description_keeps_the_providers_code(
    method: str | None,
    code: str,
    telemetry: Telemetry,
    emission: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def error_code(operation: Operation, error: BaseException) -> str:
        return "overloaded"

    monkeypatch.setattr(Inference, "error_code", error_code)
    if method is not None:
        monkeypatch.setattr(Inference, method, _Broken().anything)
    assert use(refuse, telemetry, infer) is Overloaded
    assert spans_of(emission) == [("chat m", code)]


def test_an_operation_that_cannot_be_held_open_ends(
    telemetry: Telemetry, emission: Emission
) -> None:
    step = Step(telemetry, "step")
    step.hold_open = _Broken().anything
    step.returned(None)
    assert spans_of(emission) == [("step", None)]
