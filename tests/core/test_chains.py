"""A call by ``super()`` is part of the same operation, in any shape."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import pytest
from core_recording import Recorded

from otel_agents.instrumentors import Call, ExecuteTool, watch, wrapped
from otel_agents.instrumentors._core.calls.around import around
from otel_agents.instrumentors._core.calls.call import Start, Switch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

NOTHING: Any = None
"""A placeholder for telemetry, which toys do not use."""


def sync(name: str, above: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        return [name, *above(self)(*args, **kwargs)]

    return call


def coroutine(name: str, above: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        await asyncio.sleep(0)
        return [name, *await above(self)(*args, **kwargs)]

    return call


def in_a_task(name: str, above: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, *args: Any, **kwargs: Any) -> list[str]:
        return [name, *await asyncio.ensure_future(above(self)(*args, **kwargs))]

    return call


def later(name: str, above: Callable[..., Any]) -> Callable[..., Any]:
    """A plain function that returns a coroutine."""
    inner = coroutine(name, above)

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        return inner(self, *args, **kwargs)

    return call


def generator(name: str, above: Callable[..., Any]) -> Callable[..., Any]:
    def call(self: Any, *args: Any, **kwargs: Any) -> Iterator[str]:
        yield name
        yield from above(self)(*args, **kwargs)

    return call


def async_generator(name: str, above: Callable[..., Any]) -> Callable[..., Any]:
    async def call(self: Any, *args: Any, **kwargs: Any) -> AsyncIterator[str]:
        yield name
        async for item in above(self)(*args, **kwargs):
            yield item

    return call


SHAPES = [sync, coroutine, in_a_task, later, generator, async_generator]
each_shape = pytest.mark.parametrize("shape", SHAPES)
DIAMOND = {"Base": (), "Left": ("Base",), "Right": ("Base",), "Sub": ("Left", "Right")}
ORDER = ["Leaf", "Sub", "Left", "Right", "Base"]


def hierarchy(shape: Callable[..., Any], start: Start) -> dict[str, Any]:
    """Classes of cooperative multiple inheritance, each of which implements ``call``."""
    wrapping = around(NOTHING, start, overridden=True)
    classes: dict[str, Any] = {"Top": TOPS.get(shape, Top)}
    for name, bases in {**DIAMOND, "Leaf": ("Sub",)}.items():
        made = type(name, tuple(classes[base] for base in bases or ("Top",)), {})

        def above(self: Any, made: Any = made) -> Any:
            classes: tuple[Any, ...] = type(self).__mro__
            return classes[classes.index(made) + 1].call.__get__(self)  # as `super()` finds it

        function = shape(name, above)
        function.__qualname__ = name
        made.call = wrapping(function, Switch(), True)  # pyright: ignore[reportAttributeAccessIssue]  as a patch does
        classes[name] = made
    return classes


class Top:
    """What the base calls; it is not patched."""

    def call(self, *args: Any, **kwargs: Any) -> list[str]:
        return []


class CoroutineTop:
    async def call(self, *args: Any, **kwargs: Any) -> list[str]:
        return []


class AsyncGeneratorTop:
    async def call(self, *args: Any, **kwargs: Any) -> AsyncIterator[str]:
        for nothing in list[str]():
            yield nothing


TOPS: dict[Callable[..., Any], Any] = {
    coroutine: CoroutineTop,
    in_a_task: CoroutineTop,
    later: CoroutineTop,
    async_generator: AsyncGeneratorTop,
}


def result(value: Any) -> list[str]:
    """What a caller gets in the end, whatever the shape of the call."""

    async def main() -> Any:
        if inspect.isasyncgen(value):
            return [item async for item in value]
        return list(await value if inspect.isawaitable(value) else value)

    return asyncio.run(main())


def begins(started: list[str]) -> Start:
    def start(telemetry: Any, call: Call) -> Recorded:
        started.append(call.function.__qualname__)
        return Recorded()

    return start


@each_shape
@pytest.mark.parametrize("given", [{}, {"prompt": "hi"}])
@pytest.mark.parametrize("name", ["Base", "Left", "Sub", "Leaf"])
def test_a_super_chain_of_any_length_is_one_operation(
    shape: Callable[..., Any], given: dict[str, str], name: str
) -> None:
    started: list[str] = []
    made = hierarchy(shape, begins(started))[name]()
    expected = {"Base": ORDER[4:], "Left": ["Left", "Base"], "Sub": ORDER[1:], "Leaf": ORDER}
    for _ in range(2):  # the second is a separate one
        assert result(made.call(**given)) == expected[name]
    assert started == [name] * 2


@each_shape
def test_an_observer_sees_a_super_chain_once(shape: Callable[..., Any]) -> None:
    seen: list[str] = []
    watching = watch(lambda telemetry, call: seen.append(call.function.__qualname__))
    assert result(hierarchy(shape, watching)["Leaf"]().call()) == ORDER
    assert seen == ["Leaf"]


class Finished(Recorded):
    """Knows whether it has ended."""

    @property
    def ended(self) -> bool:
        return bool(self.reports)


def test_a_call_of_another_object_is_separate() -> None:
    started: list[str] = []
    start = begins(started)
    classes = hierarchy(sync, start)
    other = classes["Left"]()

    def call(self: Any) -> list[str]:
        return [*other.call(), *classes["Base"].call(self)]

    calls = around(NOTHING, start, overridden=True)(call, Switch(), True)
    assert calls(classes["Right"]()) == ["Left", "Base", "Base"]
    assert started == [call.__qualname__, "Left"]


def test_a_recursive_call_is_separate() -> None:
    started: list[str] = []

    def call(self: object, times: int) -> int:
        return 1 + again(self, times - 1) if times else 0

    again = around(NOTHING, begins(started), overridden=True)(call, Switch(), True)
    assert again(object(), 2) == 2
    assert started == [call.__qualname__] * 3


def test_calls_of_a_task_that_outlives_the_call_are_separate() -> None:
    started: list[str] = []

    def start(telemetry: Any, call: Call) -> Finished:
        started.append(call.function.__qualname__)
        return Finished()

    classes = hierarchy(coroutine, start)

    async def main() -> list[str]:
        over = asyncio.Event()

        async def background() -> list[str]:
            await over.wait()
            return await classes["Base"].call(one)

        async def leaves_a_task(self: Any) -> asyncio.Task[list[str]]:
            return asyncio.ensure_future(background())

        one = classes["Left"]()
        call = around(NOTHING, start, overridden=True)(leaves_a_task, Switch(), True)
        task = await call(one)
        over.set()
        return await task

    assert asyncio.run(main()) == ["Base"]
    assert [name.rpartition(".")[2] for name in started] == ["leaves_a_task", "Base"]


def test_within_a_tool_of_the_call_another_implementation_is_separate(
    telemetry: Telemetry,
) -> None:
    started: list[str] = []
    start = begins(started)
    classes = hierarchy(sync, start)
    one = classes["Left"]()
    calls = wrapped(
        lambda: classes["Base"].call(one),
        telemetry,
        lambda telemetry, call: ExecuteTool(telemetry, "asks"),
    )

    def call(self: object) -> Any:
        return calls()

    assert around(NOTHING, start, overridden=True)(call, Switch(), True)(one) == ["Base"]
    assert started == [call.__qualname__, "Base"]
