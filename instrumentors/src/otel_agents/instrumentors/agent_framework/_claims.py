"""The framework's own spans of model calls, and the claims on them.

``ChatTelemetryLayer.get_response`` returns a coroutine, or a stream, which sends its request when
its first item is fetched. A stream's span is current meanwhile since 1.3: before, what is below the
run of an agent would be in other traces.
"""

from __future__ import annotations

from collections.abc import Awaitable, Iterable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach, get_current
from opentelemetry.trace import Span, Tracer, set_span_in_context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.streams import ResumableContext
from otel_agents.instrumentors._core.calls.watching import instead, replacing, within
from otel_agents.instrumentors._core.context.claims import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.context.ownership import open_foreign_claim
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.errors import guarded
from otel_agents.instrumentors._core.patching.foreign import claims
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import metrics

if TYPE_CHECKING:
    from agent_framework import ResponseStream

__all__ = ["rows"]

_LIBRARY: Final = ForeignLibrary(
    ("agent_framework",),
    frozenset(
        {metrics.GEN_AI_CLIENT_TOKEN_USAGE.name, metrics.GEN_AI_CLIENT_OPERATION_DURATION.name}
    ),
)
_FAILURES: Final = "_capture_operation_error"
"""What records the duration of whole responses that fail, by an exception; 1.0 does not."""
_CANCELLED: Final = "_handle_stream_error"
"""What does so for streams that are cancelled, too."""

_streams: Final[ByObject[ResponseStream[Any, Any], ForeignClaim | Span]] = ByObject()
"""By stream, the claim of a model call or the span of an agent."""


def rows() -> Iterable[Patch]:
    """Yield patches of the layer that records model calls, and of its streams."""
    layers = "agent_framework.observability"
    yield Patch(f"{layers}:ChatTelemetryLayer.get_response", instead(_chat))
    yield Patch(f"{layers}:EmbeddingTelemetryLayer.get_embeddings", claims(_embedding))
    # Since 1.3 the spans of streams are current while an item is fetched.
    run = f"{layers}:AgentTelemetryLayer._trace_agent_invocation"
    yield Patch(run, instead(_agent), until="1.3")
    yield Patch(f"{layers}:get_tracer", replacing(_noticing), until="1.3")
    yield Patch("agent_framework._types:ResponseStream.__anext__", within(_pull))


class _NoticingTracer:
    """A tracer whose next span is that of a claim, sampled or not."""

    def __init__(self, tracer: Tracer, claim: ForeignClaim) -> None:
        self._tracer = tracer
        self._claim = claim

    def start_span(self, *args: Any, **kwargs: Any) -> Span:
        """Start the span."""
        span = self._claim.span = self._tracer.start_span(*args, **kwargs)
        return span

    def __getattr__(self, name: str) -> Any:
        return getattr(self._tracer, name)


def _noticing(telemetry: Telemetry, call: Call, tracer: Tracer) -> Any:
    """Replace what ``get_tracer()`` returns where a stream is claimed."""
    claim = scope_of().foreign
    if claim is None or claim.library.scopes != _LIBRARY.scopes or claim.span is not None:
        return tracer
    return _NoticingTracer(tracer, claim)


@guarded("claiming a model call")
def _claim(*, streamed: bool = False) -> ForeignClaim | None:
    """Return a claim; None if the framework's telemetry is disabled."""
    from agent_framework import ResponseStream, observability

    if not observability.OBSERVABILITY_SETTINGS.ENABLED:
        return None
    if streamed:
        failures = BaseException if hasattr(ResponseStream, _CANCELLED) else Exception
    else:
        failures = Exception if hasattr(observability, _FAILURES) else None
    return ForeignClaim(_LIBRARY._replace(failures=failures), tracer=observability.get_tracer())


def _embedding(telemetry: Telemetry, call: Call) -> ForeignClaim | None:
    """Claim ``get_embeddings(values)``."""
    return _claim()


def _chat(telemetry: Telemetry, call: Call) -> Any:
    """Claim ``get_response(messages, stream=…)``, until its result is there."""
    streamed = bool(call.kwargs.get("stream"))
    claim = _claim(streamed=streamed)
    if claim is None:
        return call.proceed()
    response = _proceed(call, claim)
    if not streamed:
        return _awaited(response, claim)
    _streams[response] = claim
    return response


def _proceed(call: Call, claim: ForeignClaim) -> Any:
    """Call the original within ``claim``, which then notices the span that it starts."""
    outer = get_current()
    attach(open_foreign_claim(claim, outer))
    try:
        return call.proceed()
    finally:
        attach(outer)


def _agent(telemetry: Telemetry, call: Call) -> Any:
    """Keep the span of a streamed run, to make it current while an item is fetched."""
    claim = _claim(streamed=True) if call.kwargs.get("stream") else None
    if claim is None:
        return call.proceed()
    stream = _proceed(call, claim)
    if claim.span is not None:
        _streams[stream] = claim.span
    return stream


async def _awaited(response: Awaitable[Any], claim: ForeignClaim) -> Any:
    try:
        return await ResumableContext(open_foreign_claim(claim, get_current())).wait(response)
    finally:
        claim.close()


def _pull(telemetry: Telemetry, call: Call) -> Context | None:
    """Fetch the next item of a stream within its claim, or within the span of its agent."""
    around = _streams.get(call.instance)
    if isinstance(around, ForeignClaim):
        return open_foreign_claim(around, get_current())
    return None if around is None else set_span_in_context(around)
