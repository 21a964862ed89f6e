"""The current context of OpenTelemetry, on hot paths."""

from __future__ import annotations

from typing import Final, Protocol

import opentelemetry.context
from opentelemetry.context import Context
from opentelemetry.context.contextvars_context import ContextVarsRuntimeContext

__all__ = ["CURRENT", "current_context"]


class _Current(Protocol):
    """The current context; setting it returns a token."""

    def get(self) -> Context: ...

    def set(self, value: Context, /) -> object: ...


class _Functions:
    """The current context by OpenTelemetry's functions."""

    get = staticmethod(opentelemetry.context.get_current)
    set = staticmethod(opentelemetry.context.attach)


def current_context() -> _Current:
    """Return OpenTelemetry's variable itself, if its context is one.

    Each call and each chunk of a stream needs it four times, and its functions are two calls of
    Python functions each.
    """
    runtime = getattr(opentelemetry.context, "_RUNTIME_CONTEXT", None)
    if type(runtime) is not ContextVarsRuntimeContext:  # one of ``OTEL_PYTHON_CONTEXT``
        return _Functions()
    token = runtime.attach(runtime.get_current())
    runtime.detach(token)
    return token.var


CURRENT: Final = current_context()
"""The current context."""
