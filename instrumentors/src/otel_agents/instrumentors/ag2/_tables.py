"""What is patched."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from otel_agents.instrumentors._core.calls.around import Begin
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from . import _models, _networks, _own_telemetry, _scopes

__all__ = ["ABSTRACT", "OPTIONAL", "REQUIRED"]

Make = Callable[[Telemetry], Begin]

REQUIRED: Final[dict[str, Make]] = {
    "ag2.agent:Agent._turn_scope": _scopes.turn_scope,
    "ag2.context:ConversationContext.send": _models.told,
    "ag2.network.hub.core:Hub._dispatch": _networks.dispatched,
    "ag2.network.hub.core:Hub.close": _networks.closed,
    "ag2.network.transport.local:LocalLinkEndpoint.send_frame": _networks.sent,
    "ag2.network.client.hub_client:HubClient._dispatch_notify_safe": _networks.delivered,
}
"""In every version."""

_OWN: Final = "ag2.middleware.builtin.telemetry"

OPTIONAL: Final[dict[str, Make]] = {
    f"{_OWN}:TelemetryMiddleware.__call__": _own_telemetry.made,
    f"{_OWN}:_TelemetryMiddlewareInstance.on_llm_call": _own_telemetry.asked,
}
"""AG2's own telemetry, which needs an SDK."""

ABSTRACT: Final[dict[str, Make]] = {
    "ag2.config.client:LLMClient.__call__": _models.asked,
}
"""Implemented by AG2's clients of each provider, and by applications'."""
