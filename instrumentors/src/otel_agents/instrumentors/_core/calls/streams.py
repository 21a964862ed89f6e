"""Streams: followed item by item, finalised exactly once, their type and laziness kept.

The context of a stream is current while an item is fetched, never across a ``yield``. A stream
that its caller closes, leaves by ``break`` or drops is *abandoned*, which is no error.
"""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Generator
from typing import Any

from otel_agents.instrumentors._core.context.identity import Steps

from . import disposal
from .proxies import Proxy
from .reporting import Followed, fail, hidden, report

__all__ = [
    "AsyncStreamProxy",
    "StreamProxy",
    "follow_async_generator",
    "follow_generator",
]


def follow_generator(
    generator: Generator[Any, Any, Any], running: Followed
) -> Generator[Any, Any, Any]:
    """``generator``, followed; a generator that is never started reports nothing."""
    steps = Steps(running.context)
    sent: Any = None
    thrown: BaseException | None = None
    while True:
        outer = steps.enter()
        try:
            item = generator.send(sent) if thrown is None else generator.throw(thrown)
        except StopIteration as stop:
            steps.leave(outer)
            report(running, lambda value=stop.value: running.exhausted(value))
            return stop.value
        except BaseException as error:
            steps.leave(outer)
            fail(running, error)
            raise
        steps.leave(outer)
        sent, thrown = None, None
        if hidden(running, item):
            continue
        try:
            sent = yield item
        except GeneratorExit:
            try:
                generator.close()
            finally:
                disposal.abandon(running)
            raise
        except BaseException as error:
            thrown = error


async def follow_async_generator(
    generator: AsyncGenerator[Any, Any], running: Followed
) -> AsyncGenerator[Any, Any]:
    """``generator``, followed; see `follow_generator`."""
    steps = Steps(running.context)
    sent: Any = None
    thrown: BaseException | None = None
    while True:
        outer = steps.enter()
        try:
            item = await (generator.asend(sent) if thrown is None else generator.athrow(thrown))
        except StopAsyncIteration:
            steps.leave(outer)
            report(running, lambda: running.exhausted(None))
            return
        except BaseException as error:
            steps.leave(outer)
            fail(running, error)
            raise
        steps.leave(outer)
        sent, thrown = None, None
        if hidden(running, item):
            continue
        try:
            sent = yield item
        except GeneratorExit:
            try:
                await generator.aclose()
            finally:
                disposal.abandon(running)
            raise
        except BaseException as error:
            thrown = error


class _Following(Proxy):
    """What the two stream proxies share: one operation, finalised once, also by collection."""

    __slots__ = ("_otel_ended", "_otel_running", "_otel_steps")
    _otel_ended: bool
    _otel_running: Followed
    _otel_steps: Steps

    def __init__(self, wrapped: Any, running: Followed) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_running", running)
        object.__setattr__(self, "_otel_steps", Steps(running.context))
        object.__setattr__(self, "_otel_ended", False)

    def _otel_exhausted(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            report(self._otel_running, lambda: self._otel_running.exhausted(None))

    def _otel_failed(self, error: BaseException) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            fail(self._otel_running, error)

    def _otel_closed(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            report(self._otel_running, self._otel_running.abandoned)

    def _otel_dropped(self) -> None:
        if not self._otel_ended:
            object.__setattr__(self, "_otel_ended", True)
            disposal.abandon(self._otel_running)

    def __del__(self) -> None:
        self._otel_dropped()


class StreamProxy(_Following):
    """A synchronous stream, followed: an iterator that may also be a context manager."""

    __slots__ = ("_otel_next",)
    _otel_next: Callable[[], Any]

    def __init__(self, wrapped: Any, running: Followed) -> None:
        super().__init__(wrapped, running)
        iterator = wrapped if hasattr(wrapped, "__next__") else iter(wrapped)
        object.__setattr__(self, "_otel_next", iterator.__next__)

    def __iter__(self) -> StreamProxy:
        return self

    def __next__(self) -> Any:
        steps = self._otel_steps
        while True:
            outer = steps.enter()
            try:
                item = self._otel_next()
            except StopIteration:
                steps.leave(outer)
                self._otel_exhausted()
                raise
            except BaseException as error:
                steps.leave(outer)
                self._otel_failed(error)
                raise
            steps.leave(outer)
            if not hidden(self._otel_running, item):
                return item

    def __enter__(self) -> Any:
        entered = self._otel_wrapped.__enter__()
        return self if entered is self._otel_wrapped else entered

    def __exit__(self, *exception: object) -> Any:
        try:
            return self._otel_wrapped.__exit__(*exception)
        finally:
            self._otel_closed()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        return self._otel_closing(value) if name == "close" else value

    def _otel_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return close(*args, **kwargs)
            finally:
                self._otel_closed()

        return closing


class AsyncStreamProxy(_Following):
    """An asynchronous stream, followed; see `StreamProxy`."""

    __slots__ = ("_otel_next",)
    _otel_next: Callable[[], Any]

    def __init__(self, wrapped: Any, running: Followed) -> None:
        super().__init__(wrapped, running)
        iterator = wrapped if hasattr(wrapped, "__anext__") else aiter(wrapped)
        object.__setattr__(self, "_otel_next", iterator.__anext__)

    def __aiter__(self) -> AsyncStreamProxy:
        return self

    async def __anext__(self) -> Any:
        steps = self._otel_steps
        while True:
            outer = steps.enter()
            try:
                item = await self._otel_next()
            except StopAsyncIteration:
                steps.leave(outer)
                self._otel_exhausted()
                raise
            except GeneratorExit:  # collected while waiting for an item
                self._otel_dropped()
                raise
            except BaseException as error:
                steps.leave(outer)
                self._otel_failed(error)
                raise
            steps.leave(outer)
            if not hidden(self._otel_running, item):
                return item

    async def __aenter__(self) -> Any:
        entered = await self._otel_wrapped.__aenter__()
        return self if entered is self._otel_wrapped else entered

    async def __aexit__(self, *exception: object) -> Any:
        try:
            return await self._otel_wrapped.__aexit__(*exception)
        finally:
            self._otel_closed()

    def __getattr__(self, name: str) -> Any:
        value = getattr(self._otel_wrapped, name)
        return self._otel_closing(value) if name in ("close", "aclose") else value

    def _otel_closing(self, close: Callable[..., Any]) -> Callable[..., Any]:
        async def closing(*args: Any, **kwargs: Any) -> Any:
            try:
                return await close(*args, **kwargs)
            finally:
                self._otel_closed()

        return closing
