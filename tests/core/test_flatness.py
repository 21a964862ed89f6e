"""Law 9 over all mechanisms of the core; the check itself finds a leak."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import flatness
import pytest
from flatness import TURNS, check_flat, watched
from opentelemetry.trace import get_current_span

from otel_agents.instrumentors import (
    Call,
    Handover,
    InvokeAgent,
    Runs,
    Telemetry,
    carry,
    wrapped,
)

HELD: list[Any] = []


class Toy:
    """A framework in all shapes; each function is one turn of its agent."""

    def __init__(self, telemetry: Telemetry) -> None:
        self._telemetry = telemetry
        self._runs = Runs("toy")
        self._work: Handover = Handover()
        self._numbers = itertools.count()
        self._loop = asyncio.new_event_loop()
        self.turns = (
            *(self.call, self.fail, self.read, self.leave, self.run, self.run_left),
            *(
                self.hand_over,
                self.drop,
                self.await_it,
                self.drop_coroutine,
                self.leave_asynchronous,
            ),
        )

    def close(self) -> None:
        self._loop.run_until_complete(self._loop.shutdown_asyncgens())
        self._loop.close()

    def _observed(self, function: Callable[..., Any]) -> Any:
        def start(telemetry: Telemetry, call: Call) -> InvokeAgent:
            return InvokeAgent(telemetry, "toy")

        return wrapped(function, self._telemetry, start)

    def call(self) -> None:
        self._observed(lambda: "done")()

    def fail(self) -> None:
        def fail() -> None:
            raise LookupError

        with contextlib.suppress(LookupError):
            self._observed(fail)()

    def _items(self) -> Iterator[int]:
        yield from range(3)

    def read(self) -> None:
        list(self._observed(self._items)())

    def leave(self) -> None:
        next(iter(self._observed(self._items)()))

    def run(self) -> None:
        """By ids, as callbacks have them."""
        outer, inner = next(self._numbers), next(self._numbers)
        self._runs.start(outer, None, self.begin)
        self._runs.start(inner, outer, self.begin)
        self._runs.end(inner)
        self._runs.end(outer)

    def run_left(self) -> None:
        """Operations in progress in a run end with it."""
        outer = next(self._numbers)
        self._runs.start(outer, None, self.begin)
        self._runs.start(next(self._numbers), outer, self.begin)
        self._runs.end(outer)

    def begin(self, parent: Any) -> InvokeAgent:
        return InvokeAgent(self._telemetry, "toy", parent=parent)

    def hand_over(self) -> None:
        """To a thread, which takes it; a second handover is never taken."""
        work = object()
        self._work.give(work)
        thread = threading.Thread(target=carry(self._observed(lambda: self._work.take(work))))
        thread.start()
        thread.join()
        self._work.give(dropped := object())
        self._work.drop(dropped)

    def drop(self) -> None:
        """An operation that nobody ends."""
        InvokeAgent(self._telemetry, "toy")

    def await_it(self) -> None:
        self._loop.run_until_complete(self._observed(self._reply)())

    async def _reply(self) -> str:
        await asyncio.sleep(0)
        return "done"

    def drop_coroutine(self) -> None:
        """Cancelled before the end."""
        task = self._loop.create_task(self._observed(self._reply)())
        self._loop.run_until_complete(asyncio.sleep(0))
        task.cancel()
        self._loop.run_until_complete(asyncio.gather(task, return_exceptions=True))

    async def _later(self) -> AsyncIterator[int]:
        yield 1
        yield 2

    def leave_asynchronous(self) -> None:
        async def leave() -> None:
            async for _ in self._observed(self._later)():
                break

        self._loop.run_until_complete(leave())


@pytest.fixture
def toy() -> Iterator[Toy]:
    with watched() as providers:
        toy = Toy(Telemetry("toy", **providers))
        yield toy
        toy.close()


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the turns; a leak in each is still found."""
    monkeypatch.setattr(flatness, "TURNS", TURNS // 10)
    monkeypatch.setattr(flatness, "_WARM", TURNS // 100)


def test_no_mechanism_of_the_core_leaks(toy: Toy) -> None:
    """Of any class that the turns have created, the application's included."""
    turns = itertools.cycle(toy.turns)
    check_flat(lambda: next(turns)())


@pytest.mark.usefixtures("few")
def test_a_leak_is_found_and_reported(toy: Toy) -> None:
    def turn() -> None:
        toy.call()
        HELD.append([get_current_span()])

    with pytest.raises(AssertionError, match=r"^900 turns have left 900 builtins\.list"):
        check_flat(turn)
    HELD.clear()


@pytest.mark.usefixtures("few")
def test_a_leak_in_every_second_turn_is_found(toy: Toy) -> None:
    """Such as an operation that is kept, and by it all that it knows."""
    turns = itertools.cycle((toy.call, lambda: HELD.append(toy.begin(None))))
    with pytest.raises(AssertionError, match="InvokeAgent"):
        check_flat(lambda: next(turns)())
    HELD.clear()
