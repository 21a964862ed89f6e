"""The patches."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_agents.instrumentors._core.calls.watching import after, instead, replacing, watch, within
from otel_agents.instrumentors._core.patching.isolation import isolating
from otel_agents.instrumentors._core.patching.patches import Patch

from . import _models, _native_telemetry, _networks, _tools, _turn_scopes
from ._package import package_name

__all__ = ["patches"]

_HUB_TELEMETRY_SINCE: Final = "1.0"
# From 1.0 on the hub of a network has telemetry of its own, which follows each message.


def patches() -> Iterator[Patch]:
    """Yield the patches for the installed package."""
    package = package_name()
    network = f"{package}.network"
    hub, native = f"{network}.hub", f"{package}.middleware.builtin.telemetry"
    yield Patch(f"{package}.agent:Agent._turn_scope", _turn_scopes.turn_scope)
    yield Patch(f"{package}.tools.final.function_tool:FunctionTool.__call__", _tools.function_tool)
    yield Patch(f"{package}.context:ConversationContext.send", watch(_models.event_sent))
    yield Patch(f"{package}.config.client:LLMClient.__call__", _models.model_call, subclasses=True)
    yield Patch(f"{hub}.core:Hub._dispatch", _networks.dispatched)
    yield Patch(f"{hub}.core:Hub.close", after(_networks.hub_closed))
    yield Patch(
        f"{network}.transport.local:LocalLinkEndpoint.send_frame", watch(_networks.frame_sent)
    )
    yield Patch(f"{network}.client.hub_client:HubClient._dispatch_notify_safe", _networks.delivered)
    # This module cannot be imported where OpenTelemetry's SDK is not installed.
    yield Patch(f"{native}:TelemetryMiddleware.__init__", isolating())
    yield Patch(
        f"{native}:TelemetryMiddleware.__call__", replacing(_native_telemetry.middleware_created)
    )
    yield Patch(
        f"{native}:_TelemetryMiddlewareInstance.on_llm_call", within(_native_telemetry.model_call)
    )
    yield Patch(
        f"{hub}.telemetry:HubTelemetryListener.__init__", isolating(), since=_HUB_TELEMETRY_SINCE
    )
    tracer = f"{hub}._envelope_tracing:EnvelopeTracer"
    yield Patch(f"{tracer}.__init__", isolating(0), since=_HUB_TELEMETRY_SINCE)
    yield Patch(
        f"{tracer}.use_span",
        instead(_native_telemetry.envelope_span_used),
        since=_HUB_TELEMETRY_SINCE,
    )
