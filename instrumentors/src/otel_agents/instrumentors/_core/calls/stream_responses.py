"""The httpx responses below streams, which the application may read past them."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from typing import Any, cast

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .finalization import Finalizer
from .reporting import StreamObserver, end

__all__ = ["StreamResponse", "replace_methods"]


def replace_methods(response: Any, replacements: dict[str, Any]) -> None:
    """Replace methods of ``response``, an httpx response.

    The replacements are left out of pickles and copies, which nobody records.
    """
    state: Callable[[], dict[str, Any]] = response.__getstate__
    hidden = (*replacements, "__getstate__")
    replacements["__getstate__"] = lambda: {k: v for k, v in state().items() if k not in hidden}
    for name, ours in replacements.items():
        setattr(response, name, ours)


class StreamResponse:
    """The httpx response below a stream. The application may read it past the stream.

    It may then hold the response alone; the stream's operation ends with it.

    Args:
        stream: The stream, which this does not keep alive.
        response: Its response, whose methods are replaced.
    """

    __slots__ = ("_exposed", "_finalizer", "_observer", "_response", "_stream")

    # Both untyped: a proxy's own attributes are private by their names.
    def __init__(self, stream: Any, response: Any) -> None:
        self._stream: Callable[[], Any] = weakref.ref(stream)
        self._response: Callable[[], Any] = weakref.ref(response)
        self._observer: StreamObserver | None = None
        self._finalizer: Finalizer | None = None
        self._exposed = False
        methods = {stream._otel_close_name: stream._otel_closing_response(response, self)}
        for name in stream._otel_read_names if _can_follow(stream._otel_observer) else ():
            read = getattr(response, name, None)
            if read is not None:
                methods[name] = self._reading(name, read)
        replace_methods(response, methods)

    def _reading(self, name: str, read: Callable[..., Any]) -> Callable[..., Any]:
        def reading(*args: Any, **kwargs: Any) -> Any:
            if self._is_read_past():
                return getattr(self._response(), name)(*args, **kwargs)
            return read(*args, **kwargs)

        return reading

    def _is_read_past(self) -> bool:
        """Follow the response itself, unless it is the stream that reads it."""
        stream, response = self._stream(), self._response()
        if response is None or getattr(response, "is_stream_consumed", True):
            return False
        if stream is None:
            observer, self._observer = self._observer, None
        else:
            observer = None if stream._otel_context.inside else stream._otel_response_read()
        if observer is None:
            return False
        try:
            cast(Any, observer).follow_response(response)
        except Exception:
            errors.internal_error("following a response")
            end(observer)
        return True

    def expose(self) -> None:
        """Note that the application gets the response: it may drop the stream, and read on."""
        response = self._response()
        unread = response is not None and not getattr(response, "is_stream_consumed", True)
        if unread and not self._exposed:
            self._exposed = True
            weakref.finalize(response, self._dropped).atexit = False

    def takes_over(self, observer: StreamObserver, finalizer: Finalizer) -> bool:
        """Return whether the operation of a stream that was dropped ends with the response."""
        response = self._response()
        if not self._exposed or response is None or response.is_stream_consumed:
            return False
        self._observer, self._finalizer = observer, finalizer
        return True

    def closed(self) -> None:
        """End the stream: its response was closed, but not by reading it to the end."""
        stream = self._stream()
        if stream is None:
            self._end_unread(Finalizer.closed)
        elif not stream._otel_context.inside:
            stream._otel_closed()

    def _dropped(self) -> None:
        self._end_unread(Finalizer.dropped)

    def _end_unread(self, end: Callable[[Finalizer, StreamObserver], None]) -> None:
        observer, self._observer = self._observer, None
        if observer is not None and self._finalizer is not None:
            end(self._finalizer, observer)


def _can_follow(observer: StreamObserver) -> bool:
    return hasattr(observer, "follow_response")


hide_frames(globals())
