"""A framework's own telemetry with an application's provider: it duplicates nothing.

It is recorded as it would be without otel-agents, apart from ours. So neither's spans are parents
of the other's: the framework's spans keep their usual parents, and ours ignore them.
"""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from opentelemetry.context import Context, attach, detach, get_current
from opentelemetry.trace import (
    INVALID_SPAN,
    NonRecordingSpan,
    Span,
    SpanKind,
    Tracer,
    TracerProvider,
    get_current_span,
    set_span_in_context,
    use_span,
)

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations.in_progress import operations

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = [
    "IsolatedTracer",
    "context_without_ours",
    "isolate_provider",
    "isolating",
    "with_isolated_span",
]

_SCOPES: Final = "otel_agents"
_PROVIDER: Final = "tracer_provider"
_KEYWORD_ONLY: Final = 99
"""A position beyond all arguments: the argument has to be named."""


class _TheirSpan(NamedTuple):
    """The framework's innermost span, and the id of the foreign span that was current then."""

    span: Span
    foreign: int


_THEIR_SPAN: Final = Slot("their-span", _TheirSpan)


class IsolatedTracer(Tracer):
    """A framework's tracer whose spans are not current for ours."""

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def start_span(
        self, name: str, context: Context | None = None, *args: Any, **more: Any
    ) -> Span:
        """Start a span with the parent that it would have without our spans."""
        return self._tracer.start_span(name, _without_ours(context), *args, **more)

    def start_as_current_span(self, *args: Any, **more: Any) -> Any:
        """Start such a span as the parent of the framework's further ones."""
        return self._as_current_span(*args, **more)

    @contextmanager
    def _as_current_span(
        self,
        name: str,
        context: Context | None = None,
        kind: SpanKind = SpanKind.INTERNAL,
        attributes: Any = None,
        links: Any = None,
        start_time: int | None = None,
        record_exception: bool = True,
        set_status_on_exception: bool = True,
        end_on_exit: bool = True,
    ) -> Generator[Span, None, None]:
        parent, given = _without_ours(context), (kind, attributes, links, start_time)
        span = self._tracer.start_span(
            name, parent, *given, record_exception, set_status_on_exception
        )
        with self.use_span(span, record_exception, set_status_on_exception, end_on_exit):
            yield span

    @contextmanager
    def use_span(
        self, span: Span, record: bool = True, set_status: bool = True, end: bool = False
    ) -> Generator[None, None, None]:
        """Make ``span`` the parent of the framework's further ones; leave ours current."""
        outer = get_current()
        with use_span(span, end, record, set_status):
            theirs = _TheirSpan(span, _id(_nearest_foreign(get_current_span(outer))))
            token = attach(_THEIR_SPAN.set(theirs, outer))
            try:
                yield
            finally:
                detach(token)


class _IsolatedProvider(TracerProvider):
    """An application's provider whose tracers are `IsolatedTracer`."""

    def __init__(self, provider: TracerProvider) -> None:
        self._provider = provider

    def get_tracer(self, *args: Any, **kwargs: Any) -> Tracer:
        """Return its tracer, isolated."""
        return IsolatedTracer(self._provider.get_tracer(*args, **kwargs))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._provider, name)


def isolate_provider(telemetry: Telemetry, call: Call, position: int = _KEYWORD_ONLY) -> bool:
    """Isolate an application's own provider passed to ``call``; return whether there is one.

    Args:
        telemetry: What we emit with.
        call: The call; its argument is replaced.
        position: That of the argument, if it may be passed without its name.
    """
    provider: Any = call.argument(position, _PROVIDER)
    if isinstance(provider, _IsolatedProvider):
        return True
    if provider is None or telemetry.emits_to(provider):
        return False
    isolated = _IsolatedProvider(provider)
    if _PROVIDER in call.kwargs:
        call.kwargs = {**call.kwargs, _PROVIDER: isolated}
    else:
        call.args = (*call.args[:position], isolated, *call.args[position + 1 :])
    return True


def isolating(position: int = _KEYWORD_ONLY) -> Start:
    """Make a start that isolates a provider and starts nothing; see `isolate_provider`."""

    def start(telemetry: Telemetry, call: Call) -> Observation | None:
        return Observation() if isolate_provider(telemetry, call, position) else None

    return start


def with_isolated_span(context: Context) -> Context:
    """Return ``context``, carried here from elsewhere, with the framework's current span."""
    span = get_current_span(_without_ours(None))
    return _THEIR_SPAN.set(
        _TheirSpan(span, _id(_nearest_foreign(get_current_span(context)))), context
    )


def context_without_ours() -> Context | None:
    """Return the current context without our spans; None if it has no span of theirs."""
    return _without_ours(None) if _THEIR_SPAN.get() is not None else None


def _without_ours(context: Context | None) -> Context:
    """Return ``context`` with the span that would be current without ours."""
    context = get_current() if context is None else context
    foreign, theirs = _nearest_foreign(get_current_span(context)), _THEIR_SPAN.get(context)
    within = theirs is not None and theirs.foreign == _id(foreign)
    return set_span_in_context(theirs.span if theirs is not None and within else foreign, context)


def _nearest_foreign(span: Span) -> Span:
    """Return ``span``, or the nearest ancestor that is not ours."""
    ours: dict[int, Any] = {_id(one.span): one.span for one in operations()}
    while _id(span) in ours or _scope(span).startswith(_SCOPES):
        parent = getattr(span, "parent", None)
        if parent is None:
            return INVALID_SPAN
        span = ours.get(parent.span_id) or NonRecordingSpan(parent)
    return span


def _id(span: Span) -> int:
    return span.get_span_context().span_id


def _scope(span: Span) -> str:
    return getattr(getattr(span, "instrumentation_scope", None), "name", None) or ""
