"""Threads and thread pools work in the OpenTelemetry context of whoever started or asked them.

A thread has it as long as the span lasts that it was started in, or where there is none, as long as
its starter is in that context. One that goes on, as one that takes jobs from a queue, works for others
then: in their traces, or in its own, and for no user that it knows of. A job of a pool has its
context to its end.

Our own, since opentelemetry-instrumentation-threading requires opentelemetry-instrumentation in
exactly its own version: whenever the two are not released together, pip finds no solution. It
also leaves out threads whose class overrides ``run``, and has the workers of a pool keep the
context of the first call.
"""

from __future__ import annotations

import functools
import threading
import weakref
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final

from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import Context

from otel_agents.instrumentors.hosting import carry, guarded

__all__ = ["INSTRUMENTATION", "carry_context_into_threads"]

INSTRUMENTATION: Final = "threading"
"""Its name in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``, the same as the official package's."""

_RUN: Final = "run"


class _StartersContext(Context):
    """The context that a thread was started in, empty once its starter has left that.

    With the span that was current there, or where no end of that is known, by nobody having the
    context any more: who detaches it lets it go.

    What is in progress in the thread then has contexts of its own, made of this one, and keeps them.
    Nobody has to be told of the end: it is seen where somebody looks, by the methods through which
    OpenTelemetry does.
    """

    def __init__(self, starters: Context) -> None:
        super().__init__(starters)
        span = trace.get_current_span(starters)
        self._span = span if span.is_recording() else None
        self._starters = weakref.ref(starters)

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, default) if self._lasts() else default

    def copy(self) -> dict[str, object]:
        return super().copy() if self._lasts() else {}

    def __len__(self) -> int:
        return super().__len__() if self._lasts() else 0

    def _lasts(self) -> bool:
        if self._span is None:
            return self._starters() is not None
        return self._span.is_recording()


@guarded("looking for the current context")
def _current() -> Context | None:
    return contexts.get_current()


@guarded("following a context", None)
def _starters_context(starters: Context) -> Context | None:
    return _StartersContext(starters)


@guarded("attaching a context")
def _attach(context: Context) -> None:
    contexts.attach(context)


def carry_context_into_threads() -> Callable[[], None]:
    """From now on, start threads and submit to thread pools with the current context.

    Returns:
        What undoes it; where somebody has wrapped the methods since, theirs stays.
    """
    undo_start = _replace(threading.Thread, "start", _starting)
    undo_submit = _replace(ThreadPoolExecutor, "submit", _submitting)

    def undo() -> None:
        undo_submit()
        undo_start()

    return undo


def _replace(owner: type, name: str, wrapping: Callable[..., Any]) -> Callable[[], None]:
    original = getattr(owner, name)
    replacement = functools.wraps(original)(wrapping(original))
    setattr(owner, name, replacement)

    def undo() -> None:
        if getattr(owner, name) is replacement:
            setattr(owner, name, original)

    return undo


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    def started(self: threading.Thread, *args: Any, **kwargs: Any) -> None:
        starters = _current()
        context = _starters_context(starters) if starters else None
        if not context:
            return start(self, *args, **kwargs)
        own: dict[str, Any] = vars(self)
        before = {name: own[name] for name in (_RUN,) if name in own}
        run: Callable[[], None] = self.run

        def restore() -> None:
            own.pop(_RUN, None)
            own.update(before)

        def running() -> None:
            restore()
            _attach(context)  # the thread's own, so nothing has to be put back
            run()

        # On the object, not the class: a class of the application's own may override it.
        own[_RUN] = running
        try:
            return start(self, *args, **kwargs)
        except BaseException:
            restore()
            raise

    return started


def _submitting(submit: Callable[..., Any]) -> Callable[..., Any]:
    def submitted(self: ThreadPoolExecutor, /, *args: Any, **kwargs: Any) -> Any:
        context = _current()
        if not context or not args:
            return submit(self, *args, **kwargs)
        function, *rest = args
        # A worker that is started here serves others too: it must not keep this context.
        _attach(Context())
        try:
            return submit(self, carry(function, context), *rest, **kwargs)
        finally:
            _attach(context)

    return submitted
