"""Exceptions: their names in telemetry, and the guard that keeps ours from the application.

A function that a library, the SDK, the interpreter or the system calls is `guarded`: our failures
are logged once and counted. Foreign code is called by `call_foreign`: its failures are logged once.
"""

from __future__ import annotations

import functools
import inspect
import logging
import sys
import traceback
from collections.abc import Callable
from os.path import basename  # importing pathlib takes 5 ms
from typing import Any, TypeVar, cast

from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .forking import report_failures
from .tables import Counts

_log = logging.getLogger("otel_agents")

_Function = TypeVar("_Function", bound=Callable[..., Any])
_Value = TypeVar("_Value")

counts = Counts()
"""Internal errors by the action that failed: the values of the metric ``otel_agents.errors``."""

foreign = Counts()
"""Failures of foreign code by the action that it was called for."""

warned = Counts()
"""What `warn_once` has logged."""

strict = False
"""Whether internal errors are raised, as in tests."""

_LOGGING = "logging"


def error_type(error: BaseException) -> str:
    """Return the exception's class, as the official packages do: qualified unless built in."""
    kind = type(error)
    module = kind.__module__
    return kind.__qualname__ if module == "builtins" else f"{module}.{kind.__qualname__}"


def guarded(
    action: str, default: Any = None, *, everything: bool = False
) -> Callable[[_Function], _Function]:
    """Decorate our function, sync or async, that foreign code calls.

    An exception is an `internal_error`, and ``default`` is returned.

    Example:
        >>> class Processor:
        ...     @guarded("taking a span")
        ...     def on_end(self, span): ...

    Args:
        action: What failed if it raises, as a participle.
        default: What the caller gets then.
        everything: Whether to catch `SystemExit` and the like too: for our own threads. On other
            threads they may be the application's, raised by a signal handler or a debugger.
    """
    kinds = BaseException if everything else Exception

    def decorate(function: _Function) -> _Function:
        @functools.wraps(function)
        def calling(*args: Any, **kwargs: Any) -> Any:
            try:
                return function(*args, **kwargs)
            except kinds:
                internal_error(action)
                return default

        @functools.wraps(function)
        async def awaiting(*args: Any, **kwargs: Any) -> Any:
            try:
                return await function(*args, **kwargs)
            except kinds:
                internal_error(action)
                return default

        guard = awaiting if inspect.iscoroutinefunction(function) else calling
        return cast(_Function, guard)  # wraps keeps the signature

    return decorate


def call_foreign(
    action: str, work: Callable[[], _Value], default: _Value, *, everything: bool = False
) -> _Value:
    """Call foreign code, which may raise anything.

    Args:
        action: What it is called for, as a participle: ``"flushing traces"``.
        work: Calls it.
        default: What is returned if it raises.
        everything: See `guarded`.
    """
    kinds = BaseException if everything else Exception
    try:
        return work()
    except kinds:
        foreign_error(action)
        return default


def internal_error(action: str) -> None:
    """Log the exception being handled, the first time in full, and count it.

    The exception's text is not logged: it may quote a prompt.

    Args:
        action: What failed, as a participle: ``"recording a response"``.
    """
    if strict:
        raise  # noqa: PLE0704  called while an exception is being handled
    if counts.add(action):
        warn(
            "otel-agents failed while %s (%s); the application is unaffected, "
            "further ones are counted in the metric otel_agents.errors",
            action,
            _describe_handled(),
        )
        _log_line(logging.DEBUG, "otel-agents failed while %s", action, exc_info=True)


def warn(message: str, *values: object) -> None:
    """Log a warning; raise nothing, whatever handlers the application has."""
    _log_line(logging.WARNING, message, *values)


def warn_once(message: str, *values: object) -> None:
    """Log a warning, unless the same one was logged; a web client may have caused it."""
    if warned.add(message % values):
        warn(f"{message}; further ones are not logged", *values)


def inform(message: str, *values: object) -> None:
    """Log at level INFO; see `warn`."""
    _log_line(logging.INFO, message, *values)


def _log_line(level: int, message: str, *values: object, exc_info: bool = False) -> None:
    try:
        _log.log(level, message, *values, exc_info=exc_info)
    except Exception:  # from a handler: it cannot be logged
        foreign.add(_LOGGING)


def foreign_error(action: str) -> None:
    """Log an exception of foreign code; see `call_foreign`, which costs more."""
    if foreign.add(action):
        warn(
            "otel-agents: %s failed in foreign code (%s); the rest goes on, "
            "further failures of this kind are not logged",
            action,
            _describe_handled(),
        )


def _describe_handled() -> str:
    """Describe the exception being handled by its type and where it was raised."""
    error = sys.exc_info()[1]
    frames = list(traceback.extract_tb(error.__traceback__ if error else None))
    where = f"{basename(frames[-1].filename)}:{frames[-1].lineno}" if frames else "unknown"
    return f"{type(error).__name__} at {where}"


report_failures(lambda: internal_error("renewing after a fork"))


hide_frames(globals())
