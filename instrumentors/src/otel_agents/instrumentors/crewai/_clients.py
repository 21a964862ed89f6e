"""What CrewAI's model classes send with: an SDK's client, whose host is the provider's."""

from __future__ import annotations

from typing import Any
from weakref import WeakKeyDictionary

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.semconv.values import Provider

from ._hosts import host_of
from ._models import Answer, current_answer

__all__ = ["counted", "read", "taken"]


class _Taken(Passing):
    """A client is asked for where a request is about to be sent: that is the evidence."""

    def __init__(self, answer: Answer) -> None:
        super().__init__(get_current())
        self._answer = answer

    def returned(self, value: Any) -> Any:
        """A request follows."""
        if getattr(value, "vertexai", False) is True:
            self._answer.claim.provider = Provider.GCP_VERTEX_AI.value
        if getattr(self._answer.model, "is_azure_openai_endpoint", False) is True:
            self._answer.claim.provider = Provider.AZURE_AI_OPENAI.value
        self._answer.sends(host_of(value))
        return _without_own_spans(value)


_quiet: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()


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


def taken(telemetry: Telemetry) -> Begin:
    """``_get_sync_client()`` of a model class, and its asynchronous forms."""

    def begin(call: Call) -> Running | None:
        answer = current_answer()
        return _Taken(answer) if answer is not None and answer.model is call.instance else None

    return begin


def counted(telemetry: Telemetry) -> Begin:
    """``BaseLLM._track_token_usage_internal(usage)``: a response has come."""

    def begin(call: Call) -> Running | None:
        answer = current_answer()
        if answer is not None and answer.model is call.instance:
            answer.received(call.args[0] if call.args else next(iter(call.kwargs.values()), None))
        return None

    return begin


class _Read(Passing):
    """CrewAI looks at a response, or a piece of one."""

    def __init__(self, answer: Answer, response: Any) -> None:
        super().__init__(get_current())
        self._answer = answer
        self._response = response

    def returned(self, value: Any) -> Any:
        """Why the answer ended, and its id; those of Bedrock have none but that of the request."""
        reason, response_id = value
        response = self._response
        request_id = text(field(response, "ResponseMetadata"), "RequestId")
        self._answer.identified(
            text(response, "model") or text(response, "model_version"),
            response_id or request_id,
            reason,
        )
        as_dict = getattr(getattr(response, "usage", None), "as_dict", None)
        if as_dict is not None:
            self._answer.billed(as_dict())
        return value


def read(telemetry: Telemetry) -> Begin:
    """``_extract_finish_reason_and_id(response)``."""

    def begin(call: Call) -> Running | None:
        answer = current_answer()
        return _Read(answer, call.args[0]) if answer is not None and call.args else None

    return begin
