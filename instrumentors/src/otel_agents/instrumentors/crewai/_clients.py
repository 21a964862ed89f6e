"""The SDK clients with which CrewAI's model classes send, and what their responses report."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.semconv.values import Provider

from ._hosts import host_of
from ._model_tools import add_response
from ._models import ClaimedModelCall, current_model_call

__all__ = ["on_client", "on_finish_reason", "on_usage"]


_untraced: Final[ByObject[Any, Any]] = ByObject()
"""Copies of clients, without their own spans, by the original."""


def _without_own_spans(client: Any) -> Any:
    """Return ``client``, or a copy of it without its own spans.

    A client with a tracer provider of its own keeps them: the application has chosen so.
    """
    # anthropic >= 2.11 emits a span for each request: there would be two.
    options: dict[str, Any] = getattr(client, "open_telemetry", None) or {}
    traces: dict[str, Any] = options.get("traces") or {}
    if not traces.get("enabled") or options.get("tracer_provider") is not None:
        return client
    if client not in _untraced:
        disabled = {**options, "traces": {**traces, "enabled": False}}
        _untraced[client] = client.with_options(open_telemetry=disabled)
    return _untraced[client]


def _model_call_of(call: Call) -> ClaimedModelCall | None:
    """Return the current call of this model class."""
    model_call = current_model_call()
    return model_call if model_call is not None and model_call.model is call.instance else None


def on_client(telemetry: Telemetry, call: Call, client: Any) -> Any:
    """Return the client of ``_get_sync_client()`` or an async form of it, without its own spans.

    A model class gets its client just before it sends a request: this is the evidence.
    """
    model_call = _model_call_of(call)
    if model_call is None:
        return client
    if getattr(client, "vertexai", False) is True:
        model_call.claim.provider = Provider.GCP_VERTEX_AI.value
    if getattr(model_call.model, "is_azure_openai_endpoint", False) is True:
        model_call.claim.provider = Provider.AZURE_AI_OPENAI.value
    model_call.send(host_of(client))
    return _without_own_spans(client)


def on_usage(telemetry: Telemetry, call: Call) -> None:
    """Note a response: ``BaseLLM._track_token_usage_internal(usage)``."""
    model_call = _model_call_of(call)
    if model_call is not None:
        model_call.received(call.args[0] if call.args else next(iter(call.kwargs.values()), None))


def on_finish_reason(
    telemetry: Telemetry, call: Call, reason_and_id: tuple[str | None, str | None]
) -> None:
    """Note finish reason and id: ``_extract_finish_reason_and_id(response)``."""
    model_call = current_model_call()
    if model_call is None or not call.args:
        return
    response = call.args[0]
    reason, response_id = reason_and_id
    model_call.identify(
        text(response, "model") or text(response, "model_version"),
        # Bedrock's responses have no id but that of their request.
        response_id or text(field(response, "ResponseMetadata"), "RequestId"),
        reason,
    )
    add_response(response)
    as_dict = getattr(getattr(response, "usage", None), "as_dict", None)
    if as_dict is not None:
        model_call.billed(as_dict())
