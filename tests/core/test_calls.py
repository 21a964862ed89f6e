"""The laws of a patched call: the same for the caller, reported once, whatever its shape."""

from __future__ import annotations

import asyncio
import gc
import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from core_recording import Recorded, current_mark, settle
from opentelemetry.context import Context
from opentelemetry.instrumentation.utils import suppress_instrumentation
from toyagents import Agent, Refused

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.around import around
from otel_agents.instrumentors._core.calls.call import Call, Switch, instance
from otel_agents.instrumentors._core.calls.reporting import HIDDEN

Method = Callable[..., Any]
NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""


def wrapped(method: Method, operation: Recorded, bound: bool = True) -> Method:
    return around(NOTHING, lambda telemetry, call: operation)(method, Switch(), bound)


async def collect(items: AsyncIterator[Any]) -> list[Any]:
    return [item async for item in items]


def to_result(value: Any) -> Any:
    """What a caller gets in the end, whatever the shape of the call."""
    if inspect.isasyncgen(value):
        return asyncio.run(collect(value))
    if inspect.isgenerator(value):
        return list(value)
    if inspect.isawaitable(value):

        async def awaiting(awaitable: Awaitable[Any]) -> Any:
            return await awaitable

        return asyncio.run(awaiting(value))
    return value


SHAPES: dict[str, tuple[Method, Any, list[Any]]] = {
    "sync": (Agent.run, "ada says hi", [("returned", "ada says hi")]),
    "async": (Agent.arun, "ada says hi", [("returned", "ada says hi")]),
    "decorated": (Agent.decorated, "ada says hi", [("returned", "ada says hi")]),
    "decorated async": (Agent.adecorated, "ada says hi", [("returned", "ada says hi")]),
    "returns a coroutine": (Agent.later, "ada says hi", [("returned", "ada says hi")]),
    "generator": (
        Agent.stream,
        ["ada", "says", "hi"],
        [("chunk", "ada"), ("chunk", "says"), ("chunk", "hi"), ("exhausted", 3)],
    ),
    "async generator": (
        Agent.astream,
        ["ada", "says", "hi"],
        [("chunk", "ada"), ("chunk", "says"), ("chunk", "hi"), ("exhausted", None)],
    ),
}
METHODS = [pytest.param(*case, id=name) for name, case in SHAPES.items()]


@pytest.mark.parametrize(("method", "result", "reports"), METHODS)
def test_the_result_is_the_same_and_reported(
    method: Method, result: Any, reports: list[Any]
) -> None:
    operation = Recorded()
    assert to_result(wrapped(method, operation)(Agent("ada"), "hi")) == result
    assert operation.reports == reports
    assert current_mark() is None


@pytest.mark.parametrize(("method", "result", "reports"), METHODS)
def test_the_exception_is_the_same_and_reported(
    method: Method, result: Any, reports: list[Any]
) -> None:
    operation = Recorded()
    with pytest.raises(Refused, match="empty prompt"):
        to_result(wrapped(method, operation)(Agent("ada"), ""))
    assert operation.reports == [("failed", "Refused")]
    assert current_mark() is None


@pytest.mark.parametrize(("method", "result", "reports"), METHODS)
@pytest.mark.parametrize("prompt", ["hi", ""])
@pytest.mark.parametrize("method_name", ["returned", "chunk", "exhausted", "failed", "begin"])
def test_an_internal_error_at_any_point_changes_nothing(
    method: Method,
    result: Any,
    reports: list[Any],
    prompt: str,
    method_name: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    operation = Recorded(breaks_at=method_name)

    def begin(telemetry: Any, call: Call) -> Recorded:
        if method_name == "begin":
            raise RuntimeError("broken at begin")
        return operation

    call = around(NOTHING, begin)(method, Switch(), True)
    if prompt:
        assert to_result(call(Agent("ada"), prompt)) == result
    else:
        with pytest.raises(Refused, match="empty prompt"):
            to_result(call(Agent("ada"), prompt))
    reached = method_name == "begin" or any(
        report[0] == method_name for report in operation.reports
    )
    assert bool(caught) == reached
    if reached and method_name not in ("begin", "chunk"):
        assert operation.reports[-1] == ("end",)


@pytest.mark.parametrize(("method", "result", "reports"), METHODS)
@pytest.mark.parametrize(
    "returned_by_start", ["text", True, Context(), SimpleNamespace(context="text")]
)
@pytest.mark.parametrize("once_per", [None, instance])
def test_a_start_that_returns_what_is_no_operation_changes_nothing(
    method: Method,
    result: Any,
    reports: list[Any],
    returned_by_start: Any,
    once_per: Any,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    call = around(NOTHING, lambda telemetry, call: returned_by_start, once_per=once_per)(
        method, Switch(), True
    )
    assert to_result(call(Agent("ada"), "hi")) == result
    assert caught == ["starting an operation"]


@pytest.mark.parametrize(("method", "result", "reports"), METHODS)
def test_inspect_sees_no_difference(method: Method, result: Any, reports: list[Any]) -> None:
    call = wrapped(method, Recorded())
    for inspection in (
        inspect.iscoroutinefunction,
        inspect.isgeneratorfunction,
        inspect.isasyncgenfunction,
        inspect.signature,
        inspect.getdoc,
    ):
        assert inspection(call) == inspection(method)
    assert type(call) is type(method)


@pytest.mark.parametrize(("method", "result", "reports"), METHODS)
def test_a_suppressed_call_is_not_reported(method: Method, result: Any, reports: list[Any]) -> None:
    operation = Recorded()
    with suppress_instrumentation():
        assert to_result(wrapped(method, operation)(Agent("ada"), "hi")) == result
    assert operation.reports == []


@pytest.mark.parametrize(("method", "result", "reports"), METHODS)
def test_a_call_that_is_switched_off_is_not_reported(
    method: Method, result: Any, reports: list[Any]
) -> None:
    operation, switch = Recorded(), Switch()
    call = around(NOTHING, lambda telemetry, call: operation)(method, switch, True)
    switch.on = False
    assert to_result(call(Agent("ada"), "hi")) == result
    assert operation.reports == []


@pytest.mark.parametrize("method", [Agent.run, Agent.arun, Agent.stream, Agent.astream])
def test_wrong_arguments_are_reported_and_raise_as_before(method: Method) -> None:
    operation = Recorded()
    with pytest.raises(TypeError, match="unexpected keyword argument 'wrong'"):
        to_result(wrapped(method, operation)(Agent("ada"), "hi", wrong=1))
    assert operation.reports == [("failed", "TypeError")]


def test_begin_sees_the_call_and_may_replace_its_arguments() -> None:
    seen: list[Any] = []

    def begin(telemetry: Any, call: Call) -> Recorded:
        seen.append((call.instance.name, call.args, call.kwargs))
        call.args, call.kwargs = ("bye",), {"times": 2}
        return Recorded()

    call = around(NOTHING, begin)(Agent.run, Switch(), True)
    assert call(Agent("ada"), "hi", times=1) == "ada says byeada says bye"
    assert seen == [("ada", ("hi",), {"times": 1})]


@pytest.mark.parametrize(
    "method", [Agent.arun, Agent.adecorated, Agent.later], ids=["async", "decorated", "later"]
)
def test_a_coroutine_is_a_coroutine_and_nothing_is_reported_if_it_never_starts(
    method: Method,
) -> None:
    operation = Recorded()
    value = wrapped(method, operation)(Agent("ada"), "hi")
    assert inspect.iscoroutine(value)
    value.close()
    assert operation.reports == []


def test_cancellation_is_a_failure() -> None:
    operation = Recorded()
    started = asyncio.Event()

    async def forever() -> None:
        started.set()
        await asyncio.Event().wait()

    async def main() -> None:
        task = asyncio.create_task(wrapped(forever, operation, bound=False)())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(main())
    assert operation.reports == [("failed", "CancelledError")]


def test_a_future_stays_the_future_and_is_reported_when_done() -> None:
    operation = Recorded()

    async def main() -> None:
        made: asyncio.Future[str] = asyncio.get_running_loop().create_future()

        def promise() -> asyncio.Future[str]:
            return made

        future = wrapped(promise, operation, bound=False)()
        assert future is made
        made.set_result("kept")
        assert await future == "kept"
        await asyncio.sleep(0)  # callbacks of a future run in the next turn of the loop

    asyncio.run(main())
    assert operation.reports == [("returned", "kept")]


def future_that_failed() -> asyncio.Future[Any]:
    future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
    future.set_exception(Refused("empty prompt"))
    return future


def task_that_failed() -> asyncio.Future[Any]:
    async def refused() -> None:
        raise Refused("empty prompt")

    return asyncio.ensure_future(refused())


FAILED_FUTURES = {"future": future_that_failed, "task": task_that_failed}


@pytest.mark.parametrize("retrieved", [False, True])
@pytest.mark.parametrize("make", FAILED_FUTURES.values(), ids=FAILED_FUTURES)
def test_an_error_of_a_future_that_nobody_retrieves_is_still_logged(
    make: Callable[[], asyncio.Future[Any]], retrieved: bool
) -> None:
    """By asyncio, when it is collected: we do not mark it as retrieved."""
    operation = Recorded()
    logged: list[Any] = []

    async def main() -> None:
        asyncio.get_running_loop().set_exception_handler(lambda _, what: logged.append(what))
        future = wrapped(make, operation, bound=False)()
        await asyncio.wait([future])
        if retrieved:
            assert isinstance(future.exception(), Refused)
        del future
        await asyncio.sleep(0)
        gc.collect()

    asyncio.run(main())
    assert operation.reports == [("failed", "Refused")]
    assert [str(what["exception"]) for what in logged] == ([] if retrieved else ["empty prompt"])
    assert all("was never retrieved" in what["message"] for what in logged)


def test_a_cancelled_future_has_failed() -> None:
    operation = Recorded()

    async def main() -> None:
        make = asyncio.get_running_loop().create_future
        wrapped(make, operation, bound=False)().cancel()
        await asyncio.sleep(0)

    asyncio.run(main())
    assert operation.reports == [("failed", "CancelledError")]


def test_a_future_without_a_private_exception_is_read_by_its_method() -> None:
    class Elsewhere(asyncio.Future):  # type: ignore[type-arg]  any result does
        @property
        def _exception(self) -> Any:
            raise AttributeError("_exception")

    operation = Recorded()

    async def main() -> None:
        future: Any = wrapped(Elsewhere, operation, bound=False)()
        future.set_exception(Refused("empty prompt"))
        await asyncio.sleep(0)

    asyncio.run(main())
    assert operation.reports == [("failed", "Refused")]


class Promise:
    """An awaitable of its own kind."""

    extra = "kept"

    def __await__(self) -> Generator[Any, Any, str]:
        yield from asyncio.sleep(0).__await__()
        return "done"


def test_an_awaitable_keeps_its_type_and_attributes() -> None:
    operation = Recorded()
    promise = wrapped(lambda: Promise(), operation, bound=False)()
    assert isinstance(promise, Promise)
    assert promise.extra == "kept"
    assert to_result(promise) == "done"
    assert operation.reports == [("returned", "done")]


def test_the_context_is_current_inside_and_not_between_the_steps() -> None:
    operation = Recorded()
    inside: list[Any] = []

    def steps() -> Iterator[int]:
        for step in range(2):
            inside.append(current_mark())
            yield step

    between = [current_mark() for _ in wrapped(steps, operation, bound=False)()]
    assert inside == [operation, operation]
    assert between == [None, None]


def test_the_context_is_current_inside_and_not_between_the_async_steps() -> None:
    operation = Recorded()
    inside: list[Any] = []

    async def steps() -> AsyncIterator[int]:
        for step in range(2):
            inside.append(current_mark())
            yield step

    async def main() -> list[Any]:
        return [current_mark() async for _ in wrapped(steps, operation, bound=False)()]

    assert asyncio.run(main()) == [None, None]
    assert inside == [operation, operation]


def test_generators_pass_on_what_is_sent_and_thrown() -> None:
    operation = Recorded()
    received: list[Any] = []

    def conversation() -> Generator[str, str, str]:
        try:
            received.append((yield "first"))
            received.append((yield "second"))
        except LookupError as error:
            received.append(type(error))
            yield "caught"
        return "over"

    generator = wrapped(conversation, operation, bound=False)()
    assert next(generator) == "first"
    assert generator.send("one") == "second"
    assert generator.throw(LookupError()) == "caught"
    with pytest.raises(StopIteration) as stop:
        next(generator)
    assert stop.value.value == "over"
    assert received == ["one", LookupError]
    assert operation.reports[-1] == ("exhausted", "over")


@pytest.mark.parametrize("ending", ["close", "drop", "break"])
def test_a_generator_left_early_is_abandoned_once(ending: str) -> None:
    operation = Recorded()
    generator = wrapped(Agent.stream, operation)(Agent("ada"), "hi")
    if ending == "break":
        for _ in generator:
            break
    else:
        next(generator)
    if ending == "close":
        generator.close()
    del generator
    settle()
    assert operation.reports == [("chunk", "ada"), ("abandoned",)]


@pytest.mark.parametrize("method", [Agent.stream, Agent.astream])
def test_a_generator_that_never_starts_reports_nothing(method: Method) -> None:
    operation = Recorded()
    value = wrapped(method, operation)(Agent("ada"), "hi")
    del value
    assert operation.reports == []


@pytest.mark.parametrize("read", [0, 1, 9])
def test_a_generator_from_an_awaited_call_has_started(read: int) -> None:
    operation = Recorded()

    async def streaming() -> AsyncIterator[str]:
        return Agent("ada").astream("hi")

    async def main() -> None:
        stream = await wrapped(streaming, operation, bound=False)()
        assert inspect.isasyncgen(stream)
        for _ in range(read):
            await anext(stream, None)
        await stream.aclose()

    asyncio.run(main())
    settle()
    logged = [("chunk", word) for word in ("ada", "says", "hi")[:read]]
    assert operation.reports == [*logged, ("exhausted", None) if read > 3 else ("abandoned",)]


def test_an_async_generator_left_early_is_abandoned_once() -> None:
    operation = Recorded()

    async def main() -> None:
        generator = wrapped(Agent.astream, operation)(Agent("ada"), "hi")
        async for _ in generator:
            break
        await generator.aclose()

    asyncio.run(main())
    settle()
    assert operation.reports == [("chunk", "ada"), ("abandoned",)]


@pytest.mark.parametrize("method", [Agent.stream, Agent.astream])
def test_a_hidden_chunk_does_not_reach_the_caller(method: Method) -> None:
    operation = Recorded(hides=HIDDEN)
    assert to_result(wrapped(method, operation)(Agent("ada"), "hi")) == []


class Evasive:
    """A value whose ``__class__`` raises, as that of a proxy outside of its request."""

    @property
    def __class__(self) -> Any:
        raise RuntimeError("working outside of request context")

    @__class__.setter
    def __class__(self, value: Any) -> None: ...


def test_a_value_whose_type_cannot_be_read_is_the_result(caught: list[str]) -> None:
    operation, value = Recorded(), Evasive()
    assert wrapped(lambda: value, operation, bound=False)() is value
    assert (caught, operation.reports) == (["following a result"], [("end",)])
