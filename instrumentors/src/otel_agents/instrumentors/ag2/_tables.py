"""What is patched."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from otel_agents.instrumentors._core.calls.watching import after, instead, replacing, watch, within
from otel_agents.instrumentors._core.patching.isolation import isolating
from otel_agents.instrumentors._core.patching.patches import Patch

from . import _models, _networks, _own_telemetry, _scopes, _tools
from ._homes import home

__all__ = ["patches"]

_SINCE: Final = "1.0"
"""From here on what follows a message through a hub has telemetry of its own."""


def patches() -> Iterator[Patch]:
    """The rows, for where the agents live."""
    network = f"{home()}.network"
    hub, own = f"{network}.hub", f"{home()}.middleware.builtin.telemetry"
    yield Patch(f"{home()}.agent:Agent._turn_scope", _scopes.turn_scope)
    yield Patch(f"{home()}.tools.final.function_tool:FunctionTool.__call__", _tools.unhooked)
    yield Patch(f"{home()}.context:ConversationContext.send", watch(_models.event_sent))
    yield Patch(f"{home()}.config.client:LLMClient.__call__", _models.model_call, subclasses=True)
    yield Patch(f"{hub}.core:Hub._dispatch", _networks.dispatched)
    yield Patch(f"{hub}.core:Hub.close", after(_networks.closed))
    yield Patch(f"{network}.transport.local:LocalLinkEndpoint.send_frame", watch(_networks.sent))
    yield Patch(f"{network}.client.hub_client:HubClient._dispatch_notify_safe", _networks.delivered)
    # A module that cannot be imported where there is no SDK.
    yield Patch(f"{own}:TelemetryMiddleware.__init__", isolating())
    yield Patch(f"{own}:TelemetryMiddleware.__call__", replacing(_own_telemetry.made))
    yield Patch(
        f"{own}:_TelemetryMiddlewareInstance.on_llm_call", within(_own_telemetry.model_call)
    )
    yield Patch(f"{hub}.telemetry:HubTelemetryListener.__init__", isolating(), since=_SINCE)
    tracer = f"{hub}._envelope_tracing:EnvelopeTracer"
    yield Patch(f"{tracer}.__init__", isolating(0), since=_SINCE)
    yield Patch(f"{tracer}.use_span", instead(_own_telemetry.entered), since=_SINCE)
