"""How a context reaches work in another process.

What the work needs crosses as plain data: the trace, the baggage, and the values of the scope. A
claim, or what an agent adds up, is an object of the process that it was made in.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import fields
from typing import Any, Final, NamedTuple, cast

from opentelemetry.baggage.propagation import W3CBaggagePropagator
from opentelemetry.context import Context, attach, get_current
from opentelemetry.instrumentation.utils import suppress_instrumentation
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_agents.instrumentors._core.errors import guarded
from otel_agents.instrumentors._core.importlib_bootstrap import hide_frames

from .agents import AgentScope
from .scope import (
    Scope,
    conversation_id,
    is_suppressed,
    scope_of,
    with_conversation_id,
    with_scope,
)

__all__ = ["carry_to_process"]

_CONVERSATION: Final = "conversation_id"
_OBJECTS: Final = frozenset(("agent", "tool", "inference", "embeddings", "foreign_span"))
"""Fields of a scope that are about objects of this process."""
_VALUES: Final = tuple(it.name for it in fields(Scope) if it.name not in _OBJECTS)
_PROPAGATORS: Final = (TraceContextTextMapPropagator(), W3CBaggagePropagator())


class _PortableContext(NamedTuple):
    """What of a context another process can have.

    Attributes:
        headers: The trace and the baggage.
        values: Fields of the scope that are plain values.
        agent: The name of the innermost agent.
        suppressed: Whether the application has suppressed instrumentation.
    """

    headers: Mapping[str, str]
    values: Mapping[str, Any]
    agent: str | None
    suppressed: bool


def _portable(context: Context) -> _PortableContext:
    headers: dict[str, str] = {}
    for propagator in _PROPAGATORS:
        propagator.inject(headers, context)
    scope = scope_of(context)
    return _PortableContext(
        headers,
        {
            **{name: _plain(getattr(scope, name)) for name in _VALUES},
            _CONVERSATION: conversation_id(context),
        },
        scope.agent.name if scope.agent is not None else None,
        is_suppressed(context),
    )


def _plain(value: Any) -> Any:
    """Return ``value``; of a mapping that cannot be pickled a dict."""
    return dict(cast("Mapping[str, str]", value)) if isinstance(value, Mapping) else value


def _restored(portable: _PortableContext) -> Context:
    context = Context()
    for propagator in _PROPAGATORS:
        context = propagator.extract(portable.headers, context)
    conversation = portable.values[_CONVERSATION]
    if conversation is not None:
        context = with_conversation_id(conversation, context)
    return with_scope(
        _suppressing(context) if portable.suppressed else context,
        **portable.values,
        agent=AgentScope(portable.agent) if portable.agent is not None else None,
    )


def _suppressing(context: Context) -> Context:
    outer = get_current()
    attach(context)
    try:
        with suppress_instrumentation():
            return get_current()
    finally:
        attach(outer)


class _CarriedFunction:
    """A function bound to the context of another process; it pickles if the function does."""

    __slots__ = ("_context", "_function", "_portable")

    def __init__(self, function: Callable[..., Any], portable: _PortableContext) -> None:
        self._function = function
        self._portable = portable
        self._context: Context | None = None

    def __call__(self, /, *args: Any, **kwargs: Any) -> Any:
        context = self._attached()
        if context is None:
            return self._function(*args, **kwargs)
        try:
            return self._function(*args, **kwargs)
        finally:
            attach(context)

    @guarded("attaching the context of another process")
    def _attached(self) -> Context | None:
        """Attach the context; return the one that was current before."""
        if self._context is None:
            self._context = _restored(self._portable)
        outer = get_current()
        attach(self._context)
        return outer

    def __reduce__(self) -> Any:
        return type(self), (self._function, self._portable)


def carry_to_process(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return ``function`` bound to the current context, for a process that it is pickled to.

    Example:
        >>> import pickle
        >>> number = pickle.loads(pickle.dumps(carry_to_process(int)))
        >>> number("ff", base=16)
        255
    """
    portable = _of_current()
    return function if portable is None else _CarriedFunction(function, portable)


@guarded("carrying a context to another process")
def _of_current() -> _PortableContext | None:
    return _portable(get_current())


hide_frames(globals())
