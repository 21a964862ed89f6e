"""What CrewAI's model classes send with: an SDK's client, whose host is the provider's."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.semconv.values import Provider

from ._executing import responded
from ._hosts import host_of
from ._models import Answer, current_answer

__all__ = ["counted", "read", "taken"]


_quiet: Final[ByObject[Any, Any]] = ByObject()


def _without_own_spans(client: Any) -> Any:
    """``client``, or a copy of it where it would report the request too, as Anthropic's does.

    One that the application gave a tracer provider of its own reports there, as it was told.
    """
    options: dict[str, Any] = getattr(client, "open_telemetry", None) or {}
    traces: dict[str, Any] = options.get("traces") or {}
    if not traces.get("enabled") or options.get("tracer_provider") is not None:
        return client
    if client not in _quiet:
        silent = {**options, "traces": {**traces, "enabled": False}}
        _quiet[client] = client.with_options(open_telemetry=silent)
    return _quiet[client]


def _answer_of(call: Call) -> Answer | None:
    """The call of this model class that is being answered here."""
    answer = current_answer()
    return answer if answer is not None and answer.model is call.instance else None


def taken(telemetry: Telemetry, call: Call, client: Any) -> Any:
    """``_get_sync_client()`` of a model class, and its asynchronous forms.

    A client is asked for where a request is about to be sent: that is the evidence.
    """
    answer = _answer_of(call)
    if answer is None:
        return client
    if getattr(client, "vertexai", False) is True:
        answer.claim.provider = Provider.GCP_VERTEX_AI.value
    if getattr(answer.model, "is_azure_openai_endpoint", False) is True:
        answer.claim.provider = Provider.AZURE_AI_OPENAI.value
    answer.sends(host_of(client))
    return _without_own_spans(client)


def counted(telemetry: Telemetry, call: Call) -> None:
    """``BaseLLM._track_token_usage_internal(usage)``: a response has come."""
    answer = _answer_of(call)
    if answer is not None:
        answer.received(call.args[0] if call.args else next(iter(call.kwargs.values()), None))


def read(telemetry: Telemetry, call: Call, found: Any) -> None:
    """``_extract_finish_reason_and_id(response)``: why an answer ended, and its id.

    Those of Bedrock have none but that of the request.
    """
    answer = current_answer()
    if answer is None or not call.args:
        return
    response = call.args[0]
    reason, response_id = found
    answer.identified(
        text(response, "model") or text(response, "model_version"),
        response_id or text(field(response, "ResponseMetadata"), "RequestId"),
        reason,
    )
    responded(response)
    as_dict = getattr(getattr(response, "usage", None), "as_dict", None)
    if as_dict is not None:
        answer.billed(as_dict())
