"""An awaited call that returns a stream is one operation, which ends with the stream."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator
from types import AsyncGeneratorType, GeneratorType
from typing import Any

import pytest
from core_recording import Recorded, current_mark, settle
from toymodels import Client, Provider

from otel_agents.instrumentors import Call, ClaimedCall, Inference, Telemetry, wrapped
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.operations import ModelCall
from otel_agents.semconv.values import Operation
from otel_agents.testing.emission import Emission

NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""
SERVER = ("toy.example", 443)


def words(mark: list[Any]) -> Generator[str, Any, str]:
    """A stream; ``mark`` records in which operation each step runs."""
    for word in ("one", "two"):
        mark.append(current_mark())
        yield word
    return "both"


async def awords(mark: list[Any]) -> AsyncGenerator[str, Any]:
    for word in words(mark):
        yield word


class Promise:
    """An awaitable of its own kind."""

    def __init__(self, value: Any) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, Any, Any]:
        yield from asyncio.sleep(0).__await__()
        return self._value


Make = Callable[[list[Any]], Any]


def coroutine_function(make: Make) -> Callable[[list[Any]], Awaitable[Any]]:
    async def stream(mark: list[Any]) -> Any:
        await asyncio.sleep(0)
        return make(mark)

    return stream


def decorated(make: Make) -> Callable[[list[Any]], Awaitable[Any]]:
    """A plain function that returns the coroutine of another."""
    inner = coroutine_function(make)

    @functools.wraps(inner)
    def stream(mark: list[Any]) -> Awaitable[Any]:
        return inner(mark)

    return stream


def of_its_own(make: Make) -> Callable[[list[Any]], Awaitable[Any]]:
    return lambda mark: Promise(make(mark))


SHAPES = {
    "async": coroutine_function,
    "returns a coroutine": decorated,
    "an awaitable of its own": of_its_own,
}
each_shape = pytest.mark.parametrize("shape", SHAPES.values(), ids=SHAPES)
each_kind = pytest.mark.parametrize("make", [words, awords], ids=["generator", "async generator"])
REPORTS = [("chunk", "one"), ("chunk", "two")]


async def all_of(stream: Any) -> list[Any]:
    if hasattr(stream, "__aiter__"):
        return [item async for item in stream]
    return list(stream)


@each_shape
@each_kind
def test_it_is_one_operation_that_ends_with_the_stream(shape: Any, make: Make) -> None:
    operation, marks = Recorded(), list[Any]()
    between: list[Any] = []

    async def main() -> list[Any]:
        stream = await wrapped(shape(make), NOTHING, lambda telemetry, call: operation)(marks)
        between.extend([list(operation.reports), current_mark(), type(stream)])
        return await all_of(stream)

    assert asyncio.run(main()) == ["one", "two"]
    kind = GeneratorType if make is words else AsyncGeneratorType
    assert between == [[], None, kind]
    assert marks == [operation] * 2
    assert operation.reports == [*REPORTS, ("exhausted", "both" if make is words else None)]


@each_shape
@each_kind
def test_one_that_is_left_early_is_abandoned_once(shape: Any, make: Make) -> None:
    operation = Recorded()

    async def main() -> None:
        stream = await wrapped(shape(make), NOTHING, lambda telemetry, call: operation)([])
        if make is words:
            next(stream)
            stream.close()
        else:
            await anext(stream)
            await stream.aclose()

    asyncio.run(main())
    settle()
    assert operation.reports == [("chunk", "one"), ("abandoned",)]


@each_shape
@each_kind
def test_one_that_breaks_has_failed(shape: Any, make: Make) -> None:
    operation = Recorded()

    def broken(mark: list[Any]) -> Iterator[str]:
        yield "one"
        raise ConnectionError

    async def abroken(mark: list[Any]) -> AsyncIterator[str]:
        for item in broken(mark):
            yield item

    async def main() -> None:
        call = shape(broken if make is words else abroken)
        stream = await wrapped(call, NOTHING, lambda telemetry, call: operation)([])
        with pytest.raises(ConnectionError):
            await all_of(stream)

    asyncio.run(main())
    assert operation.reports == [("chunk", "one"), ("failed", "ConnectionError")]


async def unread(shape: Any, make: Make, operation: Any) -> None:
    stream = await wrapped(shape(make), NOTHING, lambda telemetry, call: operation)([])
    del stream
    settle()


@each_shape
@each_kind
def test_one_that_nobody_reads_is_abandoned(shape: Any, make: Make) -> None:
    """What was awaited has started the operation."""
    operation = Recorded()
    asyncio.run(unread(shape, make, operation))
    assert operation.reports == [("abandoned",)]


@each_shape
@each_kind
def test_one_that_nobody_reads_is_no_call_of_a_model_class(
    shape: Any, make: Make, emission: Emission
) -> None:
    """Its method shows that something was sent: here it has not run."""
    telemetry = Telemetry("toy", **emission.providers)
    claim = Chat(telemetry, Operation.CHAT, model="toy", provider="toy", sends_itself=True)
    asyncio.run(unread(shape, make, claim))
    assert emission.spans == ()


@each_shape
@each_kind
def test_an_internal_error_on_the_way_changes_nothing(
    shape: Any, make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    operation = Recorded(breaks_at="exhausted")

    async def main() -> list[Any]:
        call = wrapped(shape(make), NOTHING, lambda telemetry, call: operation)
        return await all_of(await call([]))

    assert asyncio.run(main()) == ["one", "two"]
    assert caught == ["ending an operation"]
    assert operation.reports[-1] == ("end",)


class Chat(ClaimedCall):
    """A framework's chat model, above an instrumented SDK."""

    def describe(self, call: ModelCall, response: Any) -> None:
        call.response_model, call.input_tokens = "toy-1", 1


@each_shape
def test_a_response_that_is_streamed_by_an_awaited_call_is_counted_once(
    shape: Any, emission: Emission
) -> None:
    """As of ``await llm.astream_chat()``; it was once counted twice."""
    telemetry = Telemetry("toy", **emission.providers)
    client = Client(Provider())

    def call_model(telemetry: Telemetry, call: Call) -> Inference:
        return with_response(Inference(telemetry, Operation.CHAT, "toy", "toy", SERVER))

    def claim(telemetry: Telemetry, call: Call) -> ClaimedCall:
        return Chat(telemetry, Operation.CHAT, model="toy", provider="toy", sends_itself=True)

    def send(mark: list[Any]) -> Iterator[str]:
        yield from wrapped(client.stream, telemetry, call_model)("hi")

    async def main() -> list[Any]:
        return await all_of(await wrapped(shape(send), telemetry, claim)([]))

    assert asyncio.run(main()) == ["H", "I"]
    assert emission.names == ["chat toy"]


def with_response(call: Inference) -> Inference:
    call.response_id, call.response_model, call.finish_reasons = "r1", "toy-1", ("stop",)
    call.input_tokens, call.output_tokens = 11, 0
    return call


def test_a_function_is_wrapped_and_a_method_has_its_instance() -> None:
    seen: list[Any] = []

    def start(telemetry: Any, call: Call) -> Recorded:
        seen.append((telemetry, call.instance, call.args))
        return Recorded()

    def echo(*args: Any) -> Any:
        return args

    assert wrapped(echo, "telemetry", start)("one", "two") == ("one", "two")  # pyright: ignore[reportArgumentType]  handed through
    assert wrapped(echo, "telemetry", start, bound=True)("one", "two") == ("one", "two")  # pyright: ignore[reportArgumentType]  handed through
    assert seen == [("telemetry", None, ("one", "two")), ("telemetry", "one", ("two",))]
