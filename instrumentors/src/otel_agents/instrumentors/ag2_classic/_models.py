"""Calls of model clients, below AG2's cache."""

from __future__ import annotations

from functools import partial
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Api, Message, ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import as_mapping, field, items, text
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.instrumentors._dialects.openai.chat import CHAT
from otel_agents.instrumentors._dialects.openai.completions import COMPLETIONS
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv.values import Operation

from . import _clients

__all__ = ["model_call"]

_NO_REFUSALS: Final = (OSError, RuntimeError)
"""Built-in errors of a connection, and of AG2 where it got no response."""


class _ModelCall(FrameworkCall):
    """One call of a client. AG2's requests and responses have the fields of OpenAI's."""

    def __init__(self, telemetry: Telemetry, client: Any, params: Any) -> None:
        completes = field(params, "prompt") is not None
        self._api: Api = COMPLETIONS if completes else CHAT
        self._kind = _clients.kind_of(client)
        self._guesses_stream_usage = _clients.guesses_stream_usage(client)
        settings = as_mapping(params)
        if self._kind in _clients.IGNORE_STREAM:
            settings = {**settings, "stream": False}
        super().__init__(
            telemetry,
            settings,
            model=text(params, "model"),
            provider=_clients.provider_of(client),
            server=_clients.server_of_client(client),
            operation=Operation.TEXT_COMPLETION if completes else None,
            record_request=partial(self._record_request, params),
        )

    def _record_request(self, params: Any, content: Content) -> None:
        self._api.record_request(content, params)

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Return ``error``; nothing was sent if AG2 itself refuses the request."""
        if error is not None and self._kind and _is_refusal(error):
            self.nothing_sent()
        return error

    def response_fields(self, response: Any) -> ResponseFields:
        """Return what AG2's response holds of the provider's."""
        reasons = [text(one, "finish_reason") for one in items(response, "choices") or [response]]
        invented = self._kind in _clients.INVENT_IDS
        return ResponseFields(
            response_id=None if invented else text(response, "id"),
            model=text(response, "model"),
            finish_reasons=tuple(filter(None, reasons)),
            usage=self._usage(response),
        )

    def _usage(self, response: Any) -> Usage | None:
        """Return the provider's usage; None where AG2 fills in zeros, or its guess for a stream."""
        usage = usage_of(field(response, "usage"))
        if usage is None or not (usage.input_tokens or usage.output_tokens):
            return None
        if self._guesses_stream_usage and self.settings.get("stream"):
            return None
        incomplete = self._kind in _clients.OMIT_THOUGHTS
        return usage._replace(output_tokens=None) if incomplete else usage

    def output_messages(self, response: Any) -> list[Message]:
        """Return one message per choice."""
        return self._api.output_messages(response)


def _is_refusal(error: BaseException) -> bool:
    """Return whether AG2 itself refused the request, or could not convert it."""
    # An error of an SDK, of a connection or of a parser, which AG2 may have wrapped, means that
    # something was sent.
    while type(error).__module__ == "builtins":
        cause = error.__cause__ or error.__context__
        if cause is None:
            return isinstance(error, Exception) and not isinstance(error, _NO_REFUSALS)
        error = cause
    return False


def model_call(telemetry: Telemetry, call: Call) -> _ModelCall:
    """Start at ``ModelClient.create(params)``."""
    return _ModelCall(telemetry, call.instance, call.argument(0, "params"))
