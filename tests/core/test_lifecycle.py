"""The life of an operation: started, described, ended once, whatever ends it and whatever fails."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor
from opentelemetry.trace import StatusCode
from toyagents import Agent, Refused

from otel_agents.instrumentors import ExecuteTool, Operation, Step, Telemetry, wrapped
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.testing.emission import Emission

ABANDONED = {"otel_agents.stream.abandoned": True}


class Described(Step):
    """A step that its framework describes in every possible way."""

    __slots__ = ("breaks_at", "recorded")

    def __init__(self, telemetry: Telemetry, breaks_at: str = "") -> None:
        super().__init__(telemetry, "step", number=0)
        self.recorded: list[Any] = []
        self.breaks_at = breaks_at

    def respond(self, value: Any) -> None:
        self._record("respond", value)

    def chunk(self, item: Any) -> object:
        self._record("chunk", item)
        return None

    def conclude(self) -> None:
        self.attributes["otel_agents.step.number"] = len(self.recorded)
        self._record("conclude")

    def is_failure(self, error: BaseException) -> bool:
        self._record("is_failure", type(error).__name__)
        return not isinstance(error, StopIteration)

    def _record(self, name: str, *values: Any) -> None:
        self.recorded.append((name, *values))
        if name == self.breaks_at:
            raise LookupError("ours")


def span_of(emission: Emission) -> dict[str, Any]:
    """Return the attributes of the only span, without its type."""
    attributes = dict(emission.span.attributes or {})
    assert attributes.pop("otel_agents.step.type") == "step"
    return attributes


def run(telemetry: Telemetry, method: Callable[..., Any], prompt: str, breaks_at: str = "") -> Any:
    """Call ``method`` of an agent and use its result to the end; return what was recorded."""
    step = Described(telemetry, breaks_at)
    value = wrapped(method, telemetry, lambda telemetry, call: step, bound=True)(
        Agent("ada"), prompt
    )
    if isinstance(value, Iterator):
        list(value)  # pyright: ignore[reportUnknownArgumentType]  of words
    elif isinstance(value, AsyncIterator):
        asyncio.run(_drained(value))  # pyright: ignore[reportUnknownArgumentType]  of words
    elif asyncio.iscoroutine(value):
        asyncio.run(value)
    return step.recorded


async def _drained(items: AsyncIterator[Any]) -> None:
    async for _ in items:
        pass


CHUNKS = [("chunk", "ada"), ("chunk", "says"), ("chunk", "hi")]


@pytest.mark.parametrize(
    ("method", "recorded"),
    [
        (Agent.run, [("respond", "ada says hi")]),
        (Agent.arun, [("respond", "ada says hi")]),
        (Agent.later, [("respond", "ada says hi")]),
        (Agent.stream, CHUNKS),
        (Agent.astream, CHUNKS),
    ],
)
def test_an_operation_is_described_by_its_result_and_concluded_once(
    method: Callable[..., Any], recorded: list[Any], telemetry: Telemetry, emission: Emission
) -> None:
    assert run(telemetry, method, "hi") == [*recorded, ("conclude",)]
    assert span_of(emission) == {"otel_agents.step.number": len(recorded)}
    assert emission.span.status.status_code is StatusCode.UNSET


@pytest.mark.parametrize("method", [Agent.run, Agent.arun, Agent.stream, Agent.astream])
def test_a_failed_operation_is_concluded_once(
    method: Callable[..., Any], telemetry: Telemetry, emission: Emission
) -> None:
    with pytest.raises(Refused):
        run(telemetry, method, "")
    assert span_of(emission) == {"otel_agents.step.number": 1, "error.type": "toyagents.Refused"}
    assert emission.span.status.status_code is StatusCode.ERROR


ENDS: dict[str, tuple[Callable[[Operation], object], dict[str, Any]]] = {
    "end": (lambda it: it.end(), {}),
    "returned": (lambda it: it.returned("value"), {}),
    "exhausted": (lambda it: it.exhausted(None), {}),
    "abandoned": (lambda it: it.abandoned(), ABANDONED),
    "failed": (lambda it: it.failed(LookupError()), {"error.type": "LookupError"}),
    "left by an exception that is none": (lambda it: it.failed(StopIteration()), {}),
    "cancelled": (
        lambda it: it.failed(asyncio.CancelledError()),
        {"error.type": "asyncio.exceptions.CancelledError"},
    ),
    "rejected": (lambda it: (it.mark_failed("full"), it.end()), {"error.type": "full"}),
    "rejected, none knows why": (
        lambda it: (it.mark_failed(None), it.end()),
        {"error.type": "_OTHER"},
    ),
    "interrupted": (lambda it: it.interrupt(), {"error.type": "interrupted"}),
}
each_end = pytest.mark.parametrize(("end", "found"), ENDS.values(), ids=ENDS)


@each_end
def test_an_operation_ends_once_and_does_not_change_afterwards(
    end: Callable[[Operation], object],
    found: dict[str, Any],
    telemetry: Telemetry,
    emission: Emission,
) -> None:
    step = Described(telemetry)
    assert (step.ended, in_progress.operations()) == (False, [step])
    end(step)
    assert (step.ended, in_progress.operations()) == (True, [])
    for again, _ in ENDS.values():
        again(step)
    assert [it for it in step.recorded if it == ("conclude",)] == [("conclude",)]
    attributes = span_of(emission)
    del attributes["otel_agents.step.number"]
    assert attributes == found
    status = StatusCode.ERROR if "error.type" in found else StatusCode.UNSET
    assert emission.span.status.status_code is status
    assert emission.span.end_time == step.end_time > step.start_time
    assert step.duration == (step.end_time - step.start_time) / 1e9


def test_a_complete_stream_is_not_abandoned(telemetry: Telemetry, emission: Emission) -> None:
    step = Step(telemetry, "step")
    step.complete = True
    step.abandoned()
    assert span_of(emission) == {}


# Operations that outlive their call, or never happen.


def test_an_operation_held_open_ends_the_second_time(
    telemetry: Telemetry, emission: Emission
) -> None:
    held: list[str] = []
    step = Described(telemetry)
    step.hold_open = lambda: held.append("held")
    step.returned("value")
    assert (held, step.ended, emission.names) == (["held"], False, [])
    assert in_progress.operations() == [step]
    step.end()
    assert (held, step.ended, emission.names) == (["held"], True, ["step"])
    assert step.recorded == [("respond", "value"), ("conclude",)]


@pytest.mark.parametrize("end", ["failed", "rejected", "interrupted"])
def test_a_failed_operation_is_not_held_open(
    end: str, telemetry: Telemetry, emission: Emission
) -> None:
    step = Step(telemetry, "step")
    step.hold_open = lambda: pytest.fail("it has failed")
    ENDS[end][0](step)
    assert span_of(emission) == ENDS[end][1]


def test_interrupting_an_operation_held_open_is_no_error(
    telemetry: Telemetry, emission: Emission
) -> None:
    step = Step(telemetry, "step")
    step.hold_open = int
    step.end()
    step.interrupt()
    assert span_of(emission) == {}


def test_a_discarded_operation_emits_nothing(telemetry: Telemetry, emission: Emission) -> None:
    tool = ExecuteTool(telemetry, "search")
    tool.discard()
    assert (tool.ended, in_progress.operations()) == (True, [])
    for end, _ in ENDS.values():
        end(tool)
    assert (emission.spans, emission.points(), emission.events) == ((), {}, [])


@pytest.mark.parametrize("end", [Operation.end, Operation.discard, Operation.interrupt])
def test_an_end_callback_is_called_once_at_the_very_end(
    end: Callable[[Operation], None], telemetry: Telemetry, emission: Emission
) -> None:
    recorded: list[Any] = []
    step = Step(telemetry, "step")
    step.when_ended += [
        lambda: recorded.append((step.ended, emission.names)),
        lambda: recorded.append("second"),
    ]
    end(step)
    end(step)
    assert recorded == [(True, [] if end is Operation.discard else ["step"]), "second"]


# Errors.


def test_a_failing_end_callback_does_not_stop_the_others(
    telemetry: Telemetry, emission: Emission, caught: list[str]
) -> None:
    recorded: list[str] = []
    step = Step(telemetry, "step")
    step.when_ended += [
        lambda: recorded.remove("what is not there"),
        lambda: recorded.append("second"),
    ]
    step.end()
    assert (recorded, caught) == (["second"], ["calling an end callback"])
    assert emission.names == ["step"]


@pytest.mark.parametrize(
    ("breaks_at", "method", "action"),
    [
        ("respond", Agent.run, "recording a result"),
        ("chunk", Agent.stream, "recording a chunk"),
        ("conclude", Agent.run, "describing an operation"),
        ("conclude", Agent.stream, "describing an operation"),
    ],
)
def test_a_failing_description_costs_no_span(
    breaks_at: str,
    method: Callable[..., Any],
    action: str,
    telemetry: Telemetry,
    emission: Emission,
    caught: list[str],
) -> None:
    recorded = run(telemetry, method, "hi", breaks_at)
    assert set(caught) == {action}
    assert recorded[-1] == ("conclude",)
    assert emission.names == ["step"]
    assert in_progress.operations() == []


def test_an_application_processor_that_raises_leaves_nothing_behind(
    telemetry: Telemetry,
    emission: Emission,
    caught: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(errors, "foreign", Counts())
    recorded: list[str] = []

    class Raising(SpanProcessor):
        def on_end(self, span: ReadableSpan) -> None:
            raise LookupError("theirs")

    emission.tracer_provider.add_span_processor(Raising())
    step = Step(telemetry, "step")
    step.when_ended.append(lambda: recorded.append("ended"))
    call = wrapped(Agent.run, telemetry, lambda telemetry, call: step, bound=True)
    assert call(Agent("ada"), "hi") == "ada says hi"
    assert (recorded, caught, in_progress.operations()) == (["ended"], [], [])
    assert errors.foreign == {"ending a span": 1}
