"""Decorated functions of every shape behave as before, and are recorded once for each call."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import json
import pickle
from collections.abc import AsyncGenerator, Awaitable, Callable, Generator
from typing import Any

import pytest
from opentelemetry.context import attach, detach
from opentelemetry.trace import StatusCode
from typing_extensions import assert_type

from otel_agents import api
from otel_agents.instrumentors import ExecuteTool, Telemetry, hosting
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("configured")

DECORATORS: dict[str, tuple[Callable[..., Any], str]] = {
    "workflow": (api.workflow, "invoke_workflow {}"),
    "agent": (api.agent, "invoke_agent {}"),
    "tool": (api.tool, "execute_tool {}"),
    "step": (api.step, "step {}"),
    "retrieval": (api.retrieval, "retrieval {}"),
    "memory": (api.memory, "search_memory"),
    "handoff": (api.handoff, "handoff {}"),
    "inference": (api.inference, "chat"),
    "embeddings": (api.embeddings, "embeddings"),
}


def plain(prompt: str, times: int = 1) -> str:
    """Reply at once."""
    if prompt == "fail":
        raise LookupError(prompt)
    return prompt * times


async def coroutine(prompt: str, times: int = 1) -> str:
    """Reply later."""
    await asyncio.sleep(0)
    return plain(prompt, times)


def generator(prompt: str, times: int = 1) -> Generator[str, str, int]:
    """Reply in parts."""
    for _ in range(times):
        yield plain(prompt)
    return times


async def async_generator(prompt: str, times: int = 1) -> AsyncGenerator[str, None]:
    """Reply in parts, later."""
    for _ in range(times):
        yield await coroutine(prompt)


SHAPES: dict[str, Any] = {it.__name__: it for it in (plain, coroutine, generator, async_generator)}
each_decorator = pytest.mark.parametrize("decorator", DECORATORS)
each_shape = pytest.mark.parametrize("shape", SHAPES)


def run(result: Any) -> list[Any]:
    """Return what a function of any shape returned or yielded."""

    async def wait(awaitable: Awaitable[Any]) -> Any:
        return await awaitable

    async def read(items: Any) -> list[Any]:
        return [item async for item in items]

    if inspect.isasyncgen(result):
        return asyncio.run(read(result))
    if inspect.isgenerator(result):
        return list(result)
    return [asyncio.run(wait(result)) if inspect.isawaitable(result) else result]


def named(decorator: str, shape: str) -> str:
    return DECORATORS[decorator][1].format(shape)


def decorate(decorator: str, shape: str) -> Any:
    return DECORATORS[decorator][0](SHAPES[shape])


@each_decorator
@each_shape
def test_it_returns_the_same_and_is_recorded(
    decorator: str, shape: str, emission: Emission
) -> None:
    function = decorate(decorator, shape)
    assert run(function("hi", times=2)) == run(SHAPES[shape]("hi", times=2))
    assert emission.names == [named(decorator, shape)]


@each_decorator
@each_shape
def test_it_fails_the_same_and_the_span_has_the_error(
    decorator: str, shape: str, emission: Emission
) -> None:
    with pytest.raises(LookupError, match=r"^fail$"):
        run(decorate(decorator, shape)("fail"))
    span = emission.span
    assert (span.name, span.status.status_code) == (named(decorator, shape), StatusCode.ERROR)
    assert (span.attributes or {})["error.type"] == "LookupError"
    assert "fail" not in emission.texts().replace("failed", "")


@each_shape
def test_wrong_arguments_raise_the_same(shape: str, emission: Emission) -> None:
    function: Any = decorate("tool", shape)
    with pytest.raises(TypeError) as raised:
        run(function(1, 2, 3))
    with pytest.raises(TypeError) as expected:
        SHAPES[shape](1, 2, 3)
    assert str(raised.value) == str(expected.value)


@each_decorator
@each_shape
def test_it_looks_the_same(decorator: str, shape: str) -> None:
    function, original = decorate(decorator, shape), SHAPES[shape]
    alike: tuple[Callable[[Any], Any], ...] = (
        *(inspect.signature, inspect.getdoc, inspect.iscoroutinefunction, inspect.isfunction),
        *(inspect.isgeneratorfunction, inspect.isasyncgenfunction, inspect.getsource),
        inspect.get_annotations,
        lambda it: (it.__name__, it.__qualname__, it.__module__),
    )
    for same in alike:
        assert same(function) == same(original)
    assert inspect.unwrap(function) is original


def test_a_type_checker_sees_the_same() -> None:
    assert_type(sum_up(1, 2), int)
    assert_type(Desk().reply("hi"), str)
    assert_type(named_tool(1), str)
    numbers: Generator[int, None, None] = count(2)
    assert [*numbers] == [0, 1]


@api.tool
def sum_up(first: int, second: int = 0) -> int:
    return first + second


@api.tool("shown")
def named_tool(first: int) -> str:
    return str(first)


@api.workflow
def count(most: int) -> Generator[int, None, None]:
    yield from range(most)


class Desk:
    """Methods of every kind."""

    @api.tool
    def reply(self, prompt: str) -> str:
        return f"{prompt}!"

    @api.tool("twice")
    @staticmethod
    def repeat(prompt: str) -> str:
        return prompt * 2

    @api.tool
    @classmethod
    def name(cls, prompt: str) -> str:
        return cls.__name__

    @staticmethod
    @api.tool
    def first(prompt: str) -> str:
        return prompt[0]


@pytest.mark.usefixtures("with_content")
def test_methods_are_recorded_without_their_instance(emission: Emission) -> None:
    desk = Desk()
    calls = (desk.reply, desk.repeat, desk.name, desk.first)
    assert [call("hi") for call in calls] == ["hi!", "hihi", "Desk", "h"]
    attributes = [dict(span.attributes or {}) for span in emission.spans]
    assert [it["gen_ai.tool.name"] for it in attributes] == ["reply", "twice", "name", "first"]
    given = [json.loads(str(it["gen_ai.tool.call.arguments"])) for it in attributes]
    assert given == [{"prompt": "hi"}] * 4


def test_a_cached_function_keeps_its_cache(emission: Emission) -> None:
    """Each call is recorded, also one that the cache answers; with the cache outside, it is not."""

    class Desk:
        @api.tool
        @functools.lru_cache(maxsize=2)  # noqa: B019  the class is gone after the test
        def inside(self, number: int) -> int:
            return number

    outside = functools.lru_cache(api.step("outside")(abs))
    desk = Desk()
    assert [desk.inside(1), desk.inside(1), outside(-1), outside(-1)] == [1, 1, 1, 1]
    cached: Any = Desk.inside
    assert (cached.cache_info().hits, cached.cache_parameters()["maxsize"]) == (1, 2)
    cached.cache_clear()
    assert cached.cache_info().hits == 0
    assert emission.names == ["execute_tool inside", "execute_tool inside", "step outside"]


def test_a_partial_and_a_builtin_are_functions(emission: Emission) -> None:
    assert api.tool("add")(functools.partial(sum_up, 1))(second=2) == 3
    assert api.tool(len)("abc") == 3
    assert emission.names == ["execute_tool sum_up", "execute_tool add", "execute_tool len"]


@pytest.mark.parametrize("kind", [Desk, Desk()])
def test_what_is_no_function_stays_as_it_is(kind: Any, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("INFO", "otel_agents")
    assert api.tool(kind) is kind
    (record,) = caplog.records
    assert "decorate" in record.getMessage()


def test_functions_of_a_module_are_pickled_by_their_name() -> None:
    assert pickle.loads(pickle.dumps(sum_up)) is sum_up


@each_decorator
def test_a_generator_that_is_closed_is_no_error(decorator: str, emission: Emission) -> None:
    started = decorate(decorator, "generator")("hi", times=3)
    assert next(started) == "hi"
    started.close()
    hosting.drain_streams(5)
    assert emission.span.status.status_code is StatusCode.UNSET
    assert (emission.span.attributes or {})["otel_agents.stream.abandoned"] is True


@each_decorator
def test_an_async_generator_that_is_closed_is_no_error(decorator: str, emission: Emission) -> None:
    async def leave() -> None:
        started = decorate(decorator, "async_generator")("hi", times=3)
        assert await anext(started) == "hi"
        await started.aclose()

    asyncio.run(leave())
    hosting.drain_streams(5)
    assert emission.span.status.status_code is StatusCode.UNSET
    assert (emission.span.attributes or {})["otel_agents.stream.abandoned"] is True


def test_a_generator_that_is_dropped_ends_once(emission: Emission) -> None:
    started = decorate("tool", "generator")("hi", times=3)
    next(started)
    del started
    gc.collect()
    hosting.drain_streams(5)
    assert emission.names == ["execute_tool generator"]


def test_a_generator_that_never_starts_does_nothing(emission: Emission) -> None:
    decorate("tool", "generator")("hi")
    gc.collect()
    hosting.drain_streams(5)
    assert emission.names == []


def test_a_generator_takes_what_is_sent_and_returns_its_value() -> None:
    @api.agent
    def echo() -> Generator[str, str, str]:
        try:
            received = yield "first"
        except KeyError:
            received = yield "caught"
        return received

    def outer() -> Generator[str, str, str]:
        return (yield from echo())

    steps = outer()
    assert next(steps) == "first"
    assert steps.throw(KeyError("x")) == "caught"
    with pytest.raises(StopIteration) as stopped:
        steps.send("over")
    assert stopped.value.value == "over"


def test_a_cancelled_coroutine_is_an_error(emission: Emission) -> None:
    @api.agent
    async def wait() -> None:
        await asyncio.Event().wait()

    async def cancel() -> None:
        task = asyncio.ensure_future(wait())
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(cancel())
    assert (emission.span.attributes or {})["error.type"] == "asyncio.exceptions.CancelledError"


def test_what_a_function_calls_is_below_it(emission: Emission) -> None:
    @api.tool
    async def inner() -> None: ...

    @api.agent
    async def outer() -> AsyncGenerator[int, None]:
        await inner()
        yield 1
        await inner()

    @api.workflow
    async def above() -> None:
        async for _ in outer():
            await inner()

    asyncio.run(above())
    assert emission.tree() == [
        "invoke_workflow above",
        "  invoke_agent outer",
        "    execute_tool inner",
        "    execute_tool inner",
        "  execute_tool inner",
    ]


def test_a_recursive_tool_is_recorded_for_each_call(emission: Emission) -> None:
    @api.tool
    def factorial(number: int) -> int:
        return number * factorial(number - 1) if number else 1

    assert factorial(2) == 2
    assert emission.tree() == [
        "execute_tool factorial",
        "  execute_tool factorial",
        "    execute_tool factorial",
    ]


def test_a_frameworks_tool_of_the_same_name_is_the_same_call(emission: Emission) -> None:
    @api.tool
    def factorial(number: int) -> int:
        return number * factorial(number - 1) if number else 1

    @api.tool
    def other() -> int:
        return factorial(0)

    framework = ExecuteTool(Telemetry("house", **emission.providers), "factorial")
    token = attach(framework.context)
    assert [factorial(1), factorial(0), other()] == [1, 1, 1]
    detach(token)
    framework.end()
    assert emission.tree() == [
        "execute_tool factorial",
        "  execute_tool factorial",
        *("  execute_tool other", "    execute_tool factorial"),
    ]


def test_a_tool_that_a_library_records_by_itself_is_the_same_call(emission: Emission) -> None:
    """Such as Strands and Pydantic AI: no scope shows their spans."""

    @api.tool
    def factorial(number: int) -> int:
        return number * factorial(number - 1) if number else 1

    @api.tool
    def other() -> int:
        return factorial(0)

    tracer = emission.tracer_provider.get_tracer("strands.telemetry.tracer")
    attributes = {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "factorial"}
    with tracer.start_as_current_span("execute_tool factorial", attributes=attributes):
        assert [factorial(1), other()] == [1, 1]
        with api.tool("factorial"):
            pass
    assert emission.tree() == [
        "execute_tool factorial",
        "  execute_tool factorial",
        *("  execute_tool other", "    execute_tool factorial"),
        "  execute_tool factorial",
    ]
