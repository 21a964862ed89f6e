"""What is patched; every version has all of it."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._core.calls.watching import after, instead, replacing, watch, within
from otel_agents.instrumentors._core.patching.beside import beside
from otel_agents.instrumentors._core.patching.patches import Patch

from . import _models, _networks, _own_telemetry, _scopes, _tools

__all__ = ["PATCHES"]

_NETWORK: Final = "ag2.network"
_HUB: Final = f"{_NETWORK}.hub"
_OWN: Final = "ag2.middleware.builtin.telemetry"
"""AG2's own telemetry: a module that cannot be imported where there is no SDK."""

PATCHES: Final = (
    Patch("ag2.agent:Agent._turn_scope", _scopes.turn_scope),
    Patch("ag2.tools.final.function_tool:FunctionTool.__call__", _tools.unhooked),
    Patch("ag2.context:ConversationContext.send", watch(_models.event_sent)),
    Patch("ag2.config.client:LLMClient.__call__", _models.model_call, subclasses=True),
    Patch(f"{_NETWORK}.hub.core:Hub._dispatch", _networks.dispatched),
    Patch(f"{_NETWORK}.hub.core:Hub.close", after(_networks.closed)),
    Patch(f"{_NETWORK}.transport.local:LocalLinkEndpoint.send_frame", watch(_networks.sent)),
    Patch(f"{_NETWORK}.client.hub_client:HubClient._dispatch_notify_safe", _networks.delivered),
    Patch(f"{_OWN}:TelemetryMiddleware.__init__", beside()),
    Patch(f"{_HUB}.telemetry:HubTelemetryListener.__init__", beside()),
    Patch(f"{_HUB}._envelope_tracing:EnvelopeTracer.__init__", beside(0)),
    Patch(f"{_HUB}._envelope_tracing:EnvelopeTracer.use_span", instead(_own_telemetry.entered)),
    Patch(f"{_OWN}:TelemetryMiddleware.__call__", replacing(_own_telemetry.made)),
    Patch(f"{_OWN}:_TelemetryMiddlewareInstance.on_llm_call", within(_own_telemetry.model_call)),
)
