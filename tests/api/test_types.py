"""A type checker sees a decorated function as it is: these functions are for pyright above all."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any, overload

from typing_extensions import assert_type

from otel_agents import api


@api.tool
def plain(number: int, *, text: str = "") -> float:
    return number + len(text)


@api.agent("planner", model="m")
async def coroutine(number: int) -> str:
    return str(number)


@api.workflow
async def async_generator(number: int) -> AsyncIterator[int]:
    yield number


@api.step
def iterator(number: int) -> Iterator[int]:
    yield number


@api.retrieval("manuals")
def generator() -> Generator[int, str, bool]:
    return bool((yield 1))


@overload
def overloaded(value: int) -> int: ...
@overload
def overloaded(value: str) -> str: ...
@api.tool
def overloaded(value: Any) -> Any:
    return value


@functools.lru_cache
@api.inference
def cached(number: int) -> str:
    return str(number)


class Desk:
    """Methods, below and above the built-in decorators."""

    @api.handoff
    def method(self, number: int) -> str:
        return str(number)

    @api.tool
    @classmethod
    def of_class(cls, number: int) -> str:
        return str(number)

    @classmethod
    @api.tool
    def of_the_class(cls, number: int) -> str:
        return str(number)

    @api.tool("static")
    @staticmethod
    def static(number: int) -> str:
        return str(number)

    @property
    @api.memory("search", store="s")
    def found(self) -> int:
        return 1

    @api.untraced()
    @api.content(False)
    @api.identity(user="ada")
    async def quiet(self) -> int:
        return 1


def test_functions_keep_their_types() -> None:
    assert assert_type(plain(1, text="x"), float) == 2
    assert [*assert_type(iterator(1), Iterator[int])] == [1]
    assert next(assert_type(generator(), Generator[int, str, bool])) == 1
    assert (assert_type(overloaded(1), int), assert_type(overloaded("x"), str)) == (1, "x")
    assert assert_type(cached(1), str) == "1"


def test_methods_keep_their_types() -> None:
    desk = Desk()
    assert assert_type(desk.method(1), str) == assert_type(Desk.of_class(1), str) == "1"
    assert assert_type(Desk.of_the_class(1), str) == assert_type(desk.static(1), str) == "1"
    assert assert_type(desk.found, int) == 1


def test_wrong_arguments_are_errors_of_types() -> None:
    if api.reference():  # never: for the checker alone, which reports a rule that is not needed
        plain("x")  # pyright: ignore[reportArgumentType]
        Desk().method(1, 2)  # pyright: ignore[reportCallIssue]


def test_asynchronous_functions_keep_their_types() -> None:
    async def main() -> None:
        assert assert_type(await coroutine(1), str) == "1"
        assert assert_type(await Desk().quiet(), int) == 1
        async for item in async_generator(1):
            assert assert_type(item, int) == 1

    asyncio.run(main())
