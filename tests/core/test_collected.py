"""Work that is collected while it waits changes no other context, and is reported once.

The collector runs inside whatever work happens to make garbage: a `GeneratorExit` comes there.
"""

from __future__ import annotations

import asyncio
import contextvars
import gc
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from core_recording import Answering, Recorded, settle
from opentelemetry.context import Context, attach, detach, get_current, set_value
from toyaws import AioEventStream, AioStreamingBody, Raw

from otel_agents.instrumentors import wrapped
from otel_agents.instrumentors._core.calls.results import follow
from otel_agents.instrumentors._core.calls.streams import AsyncStreamProxy

NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""


class Never:
    """Waits for ever, without a loop."""

    def __await__(self) -> Any:
        yield


async def never() -> None:
    await Never()


async def nothing_yet() -> AsyncIterator[str]:
    await Never()
    yield "item"


class WaitingStream:
    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        await Never()
        return "item"


class WaitingBody(AioStreamingBody):
    async def read(self, amt: int | None = None) -> bytes:
        await Never()
        return b""


class WaitingEvents(AioEventStream):
    async def __anext__(self) -> AsyncIterator[Any]:
        await Never()
        yield


class Promise:
    """An awaitable of its own kind."""

    def __await__(self) -> Any:
        return never().__await__()


def run(function: Callable[[], Any], operation: Recorded) -> Any:
    return wrapped(function, NOTHING, lambda telemetry, call: operation)()


def twice(function: Callable[[], Any], operation: Recorded) -> Any:
    """Patched by two layers; the outer is observed."""
    inner = wrapped(function, NOTHING, lambda telemetry, call: Recorded())
    return wrapped(inner, NOTHING, lambda telemetry, call: operation)()


FAILED = [("failed", "GeneratorExit")]
LEFT = [("abandoned",)]
WAITS: dict[str, tuple[Callable[[Any], Any], list[Any]]] = {
    "async": (lambda it: run(never, it), FAILED),
    "returns a coroutine": (lambda it: run(lambda: never(), it), FAILED),
    "an awaitable of its own": (lambda it: run(lambda: Promise(), it).__await__(), FAILED),
    "async twice": (lambda it: twice(never, it), FAILED),
    "returns a coroutine twice": (lambda it: twice(lambda: never(), it), FAILED),
    "async generator": (lambda it: anext(run(nothing_yet, it)), LEFT),
    "returns an async generator": (lambda it: anext(run(lambda: nothing_yet(), it)), LEFT),
    "stream": (lambda it: anext(AsyncStreamProxy(WaitingStream(), it)), LEFT),
    "body": (lambda it: follow(it, WaitingBody(Raw(b""))).read(), LEFT),
    "next of a body": (lambda it: anext(follow(it, WaitingBody(Raw(b"")))), LEFT),
    "chunks of a body": (lambda it: anext(follow(it, WaitingBody(Raw(b""))).iter_chunks()), LEFT),
    "events": (lambda it: anext(aiter(follow(it, WaitingEvents(Raw(b""))))), LEFT),
}
each_wait = pytest.mark.parametrize(("wait", "reports"), WAITS.values(), ids=WAITS)


def waiting_elsewhere(wait: Callable[[Any], Any], operation: Recorded) -> list[Any]:
    """Waits as in another task, in a cycle that only the collector finds."""
    elsewhere = contextvars.copy_context()
    waiting = elsewhere.run(wait, operation)
    elsewhere.run(waiting.send, None)
    cycle = [waiting]
    cycle.append(cycle)
    return cycle


@pytest.fixture
def mine() -> Iterator[Context]:
    """The context of the work that the collector interrupts."""
    token = attach(set_value("mine", 1, Context()))
    yield get_current()
    detach(token)


@each_wait
@pytest.mark.usefixtures("uncollected")
def test_another_request_stays_in_its_own_context(
    wait: Callable[[Any], Any], reports: list[Any], mine: Context
) -> None:
    operation = Answering()
    cycle = waiting_elsewhere(wait, operation)
    del cycle
    gc.collect()
    assert get_current() is mine
    settle()
    assert operation.reports == reports


@each_wait
@pytest.mark.usefixtures("mine", "uncollected")
def test_work_that_the_operation_itself_started_stays_in_its_context(
    wait: Callable[[Any], Any], reports: list[Any]
) -> None:
    """A background task has a copy, in which the operation's context is current."""
    operation = Answering()
    cycle = waiting_elsewhere(wait, operation)
    attach(operation.context)
    del cycle
    gc.collect()
    assert get_current() is operation.context
    settle()
    assert operation.reports == reports


@each_wait
@pytest.mark.usefixtures("uncollected")
def test_closed_where_it_started_it_leaves_nothing_behind(
    wait: Callable[[Any], Any], reports: list[Any], mine: Context
) -> None:
    """As if it were driven by hand, in one context."""
    operation = Answering()
    waiting = wait(operation)
    waiting.send(None)
    waiting.close()
    del waiting
    assert get_current() is mine
    settle()
    assert operation.reports == reports


@each_wait
@pytest.mark.usefixtures("mine", "uncollected")
def test_closed_where_something_else_is_current_it_leaves_that_alone(
    wait: Callable[[Any], Any], reports: list[Any]
) -> None:
    operation = Answering()
    waiting = wait(operation)
    waiting.send(None)
    token = attach(set_value("other", 1, Context()))
    other = get_current()
    waiting.close()
    del waiting
    assert get_current() is other
    settle()
    assert operation.reports == reports
    detach(token)


async def raises_then() -> None:
    try:
        await Never()
    finally:
        raise LookupError


async def waits_then() -> None:
    try:
        await Never()
    finally:
        await Never()  # returns a connection


CLEANUPS = {"LookupError": raises_then, "RuntimeError": waits_then}
DRIVERS: dict[str, Callable[[Callable[[], Any], Any], Any]] = {
    "async": run,
    "returns a coroutine": lambda cleanup, it: run(lambda: cleanup(), it),
    "stream": lambda cleanup, it: anext(AsyncStreamProxy(CleanedStream(cleanup), it)),
}


class CleanedStream:
    def __init__(self, wait: Callable[[], Any]) -> None:
        self.wait = wait

    def __aiter__(self) -> AsyncIterator[str]:
        return self

    async def __anext__(self) -> str:
        await self.wait()
        return "item"


@pytest.mark.parametrize("driver", DRIVERS.values(), ids=DRIVERS)
@pytest.mark.parametrize("error", CLEANUPS)
@pytest.mark.usefixtures("uncollected")
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_failing_to_clean_up_when_collected_changes_no_other_context(
    driver: Callable[..., Any], error: str, mine: Context
) -> None:
    """It ends with another error than the collector's."""
    operation, elsewhere = Recorded(), contextvars.Context()  # the context of nobody's span
    waiting = elsewhere.run(driver, CLEANUPS[error], operation)
    elsewhere.run(waiting.send, None)
    cycle = [waiting]
    cycle.append(cycle)
    del waiting, cycle
    gc.collect()
    assert get_current() is mine
    settle()
    assert len(operation.reports) == 1


@pytest.mark.usefixtures("uncollected")
def test_a_collected_generator_sets_no_context_variable_where_python_would_crash(
    mine: Context,
) -> None:
    """Before 3.12, Python may be about to set one in the same context."""
    operation, closed_in = Recorded(), list[Context]()

    def items() -> Iterator[str]:
        try:
            yield "item"
        finally:
            closed_in.append(get_current())

    cycle: list[Any] = [run(items, operation)]
    cycle.append(cycle)
    next(cycle[0])
    del cycle
    gc.collect()
    assert closed_in == [mine if sys.version_info < (3, 12) else operation.context]
    assert get_current() is mine
    settle()
    assert len(operation.reports) == 2


@pytest.mark.usefixtures("uncollected")
def test_a_task_that_is_collected_changes_no_other_task() -> None:
    operation = Recorded()

    async def other() -> bool:
        attach(set_value("mine", 2, Context()))
        before = get_current()
        await asyncio.sleep(0)
        gc.collect()
        return get_current() is before

    async def main() -> bool:
        async def never_finished() -> None:
            await wrapped(endless, NOTHING, lambda telemetry, call: operation)()

        async def endless() -> None:
            future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            future.add_done_callback(lambda _: cycle)
            cycle = [future]
            await future

        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda loop, context: None)  # it reports a destroyed task
        task = loop.create_task(never_finished())
        await asyncio.sleep(0)
        del task
        return await loop.create_task(other())

    assert asyncio.run(main())
    settle()
    assert operation.reports == FAILED
