"""The framework's own spans of model calls, and the claims on them.

``ChatTelemetryLayer.get_response`` returns a coroutine, or a stream, which sends its request when
its first item is fetched. A stream's span is current meanwhile since 1.2 or so, and not before.
"""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.streams import ResumableContext
from otel_agents.instrumentors._core.context.foreign import ForeignClaim, ForeignLibrary
from otel_agents.instrumentors._core.context.ownership import open_foreign_claim
from otel_agents.instrumentors._core.errors import guarded
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import metrics

if TYPE_CHECKING:
    from agent_framework import ResponseStream

__all__ = ["chat", "embedding", "pull"]

_LIBRARY: Final = ForeignLibrary(
    ("agent_framework",),
    frozenset(
        {metrics.GEN_AI_CLIENT_TOKEN_USAGE.name, metrics.GEN_AI_CLIENT_OPERATION_DURATION.name}
    ),
)

_streams: Final[ByObject[ResponseStream[Any, Any], ForeignClaim]] = ByObject()


@guarded("claiming a model call")
def _claim() -> ForeignClaim | None:
    """Return a claim; None if the framework's telemetry is disabled."""
    from agent_framework import observability

    if not observability.OBSERVABILITY_SETTINGS.ENABLED:
        return None
    return ForeignClaim(_LIBRARY, tracer=observability.get_tracer())


def embedding(telemetry: Telemetry, call: Call) -> ForeignClaim | None:
    """Claim ``get_embeddings(values)``."""
    return _claim()


def chat(telemetry: Telemetry, call: Call) -> Any:
    """Claim ``get_response(messages, stream=…)``, until its result is there."""
    claim = _claim()
    if claim is None:
        return call.proceed()
    outer = get_current()
    context = open_foreign_claim(claim, outer)
    attach(context)
    try:
        response = call.proceed()
    finally:
        attach(outer)
    if not call.kwargs.get("stream"):
        return _awaited(response, claim)
    _streams[response] = claim
    return response


async def _awaited(response: Awaitable[Any], claim: ForeignClaim) -> Any:
    try:
        return await ResumableContext(open_foreign_claim(claim, get_current())).wait(response)
    finally:
        claim.close()


def pull(telemetry: Telemetry, call: Call) -> Context | None:
    """Fetch the next item of a stream within its claim."""
    claim = _streams.get(call.instance)
    return None if claim is None else open_foreign_claim(claim, get_current())
