"""Coroutines, awaitables, futures and generators that a call returned, followed until they end."""

from __future__ import annotations

import asyncio
import weakref
from collections.abc import AsyncGenerator, Callable, Generator
from types import GeneratorType
from typing import Any, cast

from otel_agents.instrumentors._core.collected import is_collecting
from otel_agents.instrumentors._core.drivers import first_step
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from . import finalization
from .finalization import Finalizer
from .proxy import Proxy
from .reporting import StreamObserver, report_chunk, report_exhausted, report_failure
from .streams import ResumableContext, register_stream

__all__ = [
    "AwaitableProxy",
    "CoroutineProxy",
    "follow_async_generator",
    "follow_future",
    "follow_generator",
    "follow_returned_generator",
]


class AwaitableProxy(Proxy):
    """An awaitable that is not a coroutine: it keeps its type, and awaiting it is followed."""

    __slots__ = ("_otel_follow",)
    _otel_follow: Callable[[], Any]

    def __init__(self, wrapped: Any, follow: Callable[[], Any]) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_follow", follow)

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._otel_follow().__await__()


class CoroutineProxy(Proxy):
    """A coroutine that a plain function returned, followed step by step.

    A wrapping coroutine would not do: closed before its first step, it would leave the inner one
    behind, which then warns that it was never awaited.

    Args:
        wrapped: The coroutine.
        observer: The operation that it belongs to.
        returned: Records the result and returns what the caller gets.
    """

    __slots__ = (
        "_otel_context",
        "_otel_finalizer",
        "_otel_observer",
        "_otel_open",
        "_otel_returned",
    )
    _otel_finalizer: Finalizer
    _otel_open: bool
    _otel_returned: Callable[[StreamObserver, Any], Any]
    _otel_observer: StreamObserver
    _otel_context: ResumableContext

    def __init__(
        self, wrapped: Any, observer: StreamObserver, returned: Callable[[StreamObserver, Any], Any]
    ) -> None:
        super().__init__(wrapped)
        object.__setattr__(self, "_otel_open", False)
        object.__setattr__(self, "_otel_observer", observer)
        object.__setattr__(self, "_otel_returned", returned)
        object.__setattr__(self, "_otel_context", ResumableContext(observer.context))
        object.__setattr__(self, "_otel_finalizer", finalization.current())

    def __await__(self) -> CoroutineProxy:
        return self

    def __iter__(self) -> CoroutineProxy:
        return self

    def __next__(self) -> Any:
        return self._otel_step(self._otel_wrapped.send, None)

    def send(self, value: Any) -> Any:
        """Send ``value`` into the coroutine."""
        return self._otel_step(self._otel_wrapped.send, value)

    def throw(self, *exception: Any) -> Any:
        """Raise an exception inside the coroutine."""
        return self._otel_step(self._otel_wrapped.throw, *exception)

    def close(self) -> None:
        """Close the coroutine; if it has started, its operation fails."""
        try:
            self._otel_context.run(self._otel_wrapped.close)
        finally:
            self._otel_dropped()

    def _otel_step(self, step: Callable[..., Any], *values: Any) -> Any:
        object.__setattr__(self, "_otel_open", True)
        entered = self._otel_context.enter()
        try:
            result = step(*values)
        except StopIteration as stop:
            self._otel_context.leave(entered)
            object.__setattr__(self, "_otel_open", False)
            result = self._otel_returned(self._otel_observer, stop.value)
            raise StopIteration(result) from None
        except BaseException as error:
            self._otel_context.leave(entered)
            object.__setattr__(self, "_otel_open", False)
            self._otel_finalizer.failed(self._otel_observer, error)
            raise
        self._otel_context.leave(entered)
        return result

    def _otel_dropped(self) -> None:
        if self._otel_open:
            object.__setattr__(self, "_otel_open", False)
            self._otel_finalizer.failed(self._otel_observer, GeneratorExit())

    def __del__(self) -> None:
        if self._otel_open:
            self.close()


def follow_future(
    future: asyncio.Future[Any],
    observer: StreamObserver,
    returned: Callable[[StreamObserver, Any], Any],
) -> asyncio.Future[Any]:
    """Return ``future`` itself; ``returned`` records its result."""

    def done(future: asyncio.Future[Any]) -> None:
        error = asyncio.CancelledError() if future.cancelled() else _error_of(future)
        if error is not None:
            report_failure(observer, error)
        else:
            returned(observer, future.result())

    future.add_done_callback(done)
    return future


def _error_of(future: Any) -> BaseException | None:
    """Return the exception of a future without marking it as retrieved.

    asyncio logs an exception that nobody retrieved. ``exception()`` marks it, and there is no
    public way that does not.
    """
    try:
        return future._exception
    except AttributeError:  # a library's own future class
        return future.exception()


def follow_generator(
    generator: Generator[Any, Any, Any],
    observer: StreamObserver,
    unread: _UnreadGenerator | None = None,
) -> Generator[Any, Any, Any]:
    """Follow ``generator``; one that is never started reports nothing."""
    if unread is not None:
        unread.read = True
    finalizer, context = register_stream(observer), ResumableContext(observer.context)
    sent: Any = None
    thrown: BaseException | None = None
    while True:
        entered = context.enter()
        try:
            item = generator.send(sent) if thrown is None else generator.throw(thrown)
        except StopIteration as stop:
            context.leave(entered)
            report_exhausted(observer, stop.value)
            return stop.value
        except BaseException as error:
            context.leave(entered)
            finalizer.failed(observer, error)
            raise
        context.leave(entered)
        sent, thrown = None, None
        if report_chunk(observer, item):
            continue
        try:
            sent = yield item
        except GeneratorExit:
            try:
                if is_collecting():
                    generator.close()  # in the current context, as if it were not patched
                else:
                    context.run(generator.close)
            finally:
                finalizer.dropped(observer)
            raise
        except BaseException as error:
            thrown = error


async def follow_async_generator(
    generator: AsyncGenerator[Any, Any],
    observer: StreamObserver,
    unread: _UnreadGenerator | None = None,
) -> AsyncGenerator[Any, Any]:
    """Follow ``generator``; see `follow_generator`."""
    if unread is not None:
        unread.read = True
    finalizer, context = register_stream(observer), ResumableContext(observer.context)
    step = first_step(generator)
    while True:
        entered = context.enter()
        try:
            item = await step
        except StopAsyncIteration:
            context.leave(entered)
            report_exhausted(observer)
            return
        except BaseException as error:
            context.leave_awaited(entered, error)
            if isinstance(error, GeneratorExit):
                finalizer.dropped(observer)
            else:
                finalizer.failed(observer, error)
            raise
        context.leave(entered)
        if report_chunk(observer, item):
            step = generator.asend(None)
            continue
        try:
            step = generator.asend((yield item))
        except GeneratorExit:
            try:
                await context.wait(generator.aclose())
            finally:
                finalizer.dropped(observer)
            raise
        except BaseException as error:
            step = generator.athrow(error)


class _UnreadGenerator:
    """Ends the operation of a generator that nobody has started."""

    __slots__ = ("_finalizer", "_observer", "read")

    def __init__(self, observer: StreamObserver) -> None:
        self._finalizer = register_stream(observer)
        self._observer = observer
        self.read = False

    def dropped(self) -> None:
        """End the operation if the generator was never started."""
        if not self.read:
            self._finalizer.dropped(self._observer)


def follow_returned_generator(value: Any, observer: StreamObserver) -> Any:
    """Follow a generator that an awaited call returned.

    What was awaited has started the operation, so it ends even if the generator is never started.
    It does not if that means that nothing was sent, which an observer declares by ``lazy``.
    """
    kind = cast(Any, type(value))
    follow: Any = follow_generator if kind is GeneratorType else follow_async_generator
    if getattr(observer, "lazy", False):
        return follow(value, observer)
    unread = _UnreadGenerator(observer)
    generator = follow(value, observer, unread)
    weakref.finalize(generator, unread.dropped).atexit = False
    return generator


hide_frames(globals())
