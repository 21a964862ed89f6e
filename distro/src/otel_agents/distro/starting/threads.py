"""Threads and thread pools inherit the OpenTelemetry context of their starter or caller.

A thread keeps it while the span that was current at its start is recording or, without a span,
while its starter is in that context. A thread that runs longer, such as one that takes jobs from a
queue, then works for others: in their traces or its own, without the user's identity. A job of a
pool keeps its context to its end.

We do not use opentelemetry-instrumentation-threading: it requires exactly its own version of
opentelemetry-instrumentation, so pip finds no solution when the two are not released together. It
also skips threads whose class overrides ``run``, and lets a pool's workers keep the context of the
first call.
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

__all__ = ["INSTRUMENTATION", "carry_context_into_threads", "replace_method"]

INSTRUMENTATION: Final = "threading"
"""Its name in ``OTEL_PYTHON_DISABLED_INSTRUMENTATIONS``, the same as the official package's."""

_RUN: Final = "run"


class _InheritedContext(Context):
    """The context that a thread was started in; empty once its starter has left that context.

    That is when the span that was current has ended. Without a span, it is when nobody references
    the context any more: detaching drops the last reference.

    Operations in progress in the thread have contexts derived from this one, and keep them. No
    notification is needed: the methods by which OpenTelemetry reads a context check it.
    """

    def __init__(self, parent: Context) -> None:
        super().__init__(parent)
        span = trace.get_current_span(parent)
        self._span = span if span.is_recording() else None
        self._parent = weakref.ref(parent)

    def get(self, key: str, default: Any = None) -> Any:
        return super().get(key, default) if self._is_active() else default

    def copy(self) -> dict[str, object]:
        return super().copy() if self._is_active() else {}

    def __len__(self) -> int:
        return super().__len__() if self._is_active() else 0

    def _is_active(self) -> bool:
        if self._span is None:
            return self._parent() is not None
        return self._span.is_recording()


@guarded("reading the current context")
def _current() -> Context | None:
    return contexts.get_current()


@guarded("inheriting a context", None)
def _inherited(parent: Context) -> Context | None:
    return _InheritedContext(parent)


@guarded("attaching a context")
def _attach(context: Context) -> None:
    contexts.attach(context)


def carry_context_into_threads() -> Callable[[], None]:
    """Patch threads and thread pools to inherit the current context.

    Returns:
        A function that undoes it, except where somebody has wrapped the methods since.
    """
    undo_start = replace_method(threading.Thread, "start", _starting)
    undo_submit = replace_method(ThreadPoolExecutor, "submit", _submitting)

    def undo() -> None:
        undo_submit()
        undo_start()

    return undo


def replace_method(owner: type, name: str, wrapping: Callable[..., Any]) -> Callable[[], None]:
    """Replace a method by ``wrapping(method)``; return a function that undoes it."""
    original = getattr(owner, name)
    replacement = functools.wraps(original)(wrapping(original))
    setattr(owner, name, replacement)

    def undo() -> None:
        if getattr(owner, name) is replacement:
            setattr(owner, name, original)

    return undo


def _starting(start: Callable[..., None]) -> Callable[..., None]:
    def started(self: threading.Thread, *args: Any, **kwargs: Any) -> None:
        parent = _current()
        context = _inherited(parent) if parent else None
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
            _attach(context)  # the thread's own context, so nothing is detached
            run()

        # On the object, not the class: the application's class may override ``run``.
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
        # A worker that starts here serves other calls too: it must not keep this context.
        _attach(Context())
        try:
            return submit(self, carry(function, context), *rest, **kwargs)
        finally:
            _attach(context)

    return submitted
