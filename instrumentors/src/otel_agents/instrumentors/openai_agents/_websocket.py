"""The Responses API over a WebSocket, by which the SDK itself sends: no SDK below reports it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.openai.generation import Generation
from otel_agents.instrumentors._dialects.openai.hosts import known_provider
from otel_agents.instrumentors._dialects.openai.responses import RESPONSES
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv.values import Provider

if TYPE_CHECKING:
    from agents import OpenAIResponsesWSModel

__all__ = ["websocket_call"]

_LEFT_OUT = ("Omit", "NotGiven")
"""The classes of OpenAI's marks for parameters that are not sent."""


def websocket_call(telemetry: Telemetry, call: Call) -> Generation:
    """Start ``OpenAIResponsesWSModel._iter_websocket_response_events(create_kwargs)``.

    One request is sent and its events are received, also for a response that is not streamed.
    """
    model: OpenAIResponsesWSModel = call.instance
    client = model._client  # pyright: ignore[reportPrivateUsage]  the model shows it nowhere
    server = server_of(client.websocket_base_url or client.base_url)
    provider = known_provider(server[0]) if server is not None else None
    return Generation(
        telemetry,
        RESPONSES,
        _body(call.argument(0, "create_kwargs")),
        provider or Provider.OPENAI.value,
        server,
        provider_is_guess=provider is None,
    )


def _body(arguments: dict[str, Any]) -> dict[str, Any]:
    """Return what is sent, of the arguments of ``responses.create``."""
    given = {**arguments, "stream": True, **as_mapping(arguments.get("extra_body"))}
    return {name: value for name, value in given.items() if type(value).__name__ not in _LEFT_OUT}
