"""Calls of model clients, below AG2's cache: their requests and the responses to them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ClaimedCall, unfinished
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Usage
from otel_agents.instrumentors._dialects.fields import as_mapping, field, items, text
from otel_agents.instrumentors._dialects.openai.chat import CHAT
from otel_agents.instrumentors._dialects.openai.completions import COMPLETIONS
from otel_agents.instrumentors._dialects.openai.requests import inference_attributes
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.instrumentors._dialects.parts import with_finish_reasons
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from . import _clients

if TYPE_CHECKING:
    from ._provider_responses import ResponseFields

__all__ = ["FrameworkModelCall", "current_model_call", "model_call"]


class FrameworkModelCall(ClaimedCall):
    """One call of a client, usually one request to its provider.

    AG2 may send a second request after a refusal. For clients whose SDK is patched here, each
    request is observed by `request_sent`.
    """

    def __init__(self, telemetry: Telemetry, client: Any, params: Any) -> None:
        is_completion = field(params, "prompt") is not None
        self._api = api = COMPLETIONS if is_completion else CHAT
        super().__init__(
            telemetry,
            Operation.TEXT_COMPLETION if is_completion else _clients.operation_of(client),
            model=text(params, "model"),
            provider=_clients.provider_of(client),
            sends_itself=True,
            record_request=lambda content: api.record_request(content, params),
        )
        self.server = _clients.server_of_client(client)
        self._client = client
        self._params = params
        self._usage_is_guess = bool(field(params, "stream")) and _clients.guesses_stream_usage(
            client
        )
        self._sent = False
        self._response: ResponseFields | None = None
        self._request_error: BaseException | None = None
        self._first_chunk: int | None = None
        self.context = _MODEL_CALL.set(self, self.context)

    def request_sent(self, server: tuple[str, int] | None) -> None:
        """Record that a request is sent, and end the previous one."""
        if self._request_error is not None:
            self.attempt_failed(self._request_error)
        elif self._response is not None:
            self.responded(None)
        if self._sent:
            self.attempt()
        self._sent, self._response, self._request_error, self._first_chunk = True, None, None, None
        self.server = server or self.server

    def received(self, response: ResponseFields) -> None:
        """Record the response to the request."""
        self._response = response

    def chunk_received(self) -> None:
        """Record that a chunk of the response was received."""
        if self._first_chunk is None:
            self._first_chunk = time.time_ns()

    def request_failed(self, error: BaseException) -> None:
        """Record that the request failed; AG2 may send another one."""
        self._request_error = error

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Return ``error``, and record whether the provider failed or AG2 itself did.

        AG2 fails before it sends if it does not support the request, and after it if it does not
        understand the response, which was billed.
        """
        if error is None:
            return None
        if self._response is not None:
            self.responded(None)
        elif not self._sent and _clients.sends_observably(self._client) and _is_builtin(error):
            self.nothing_sent()
        return error

    def response_id(self, response: Any) -> str | None:
        """Return the provider's id of the response; a custom client may have none."""
        if self._response is not None:
            return self._response.id
        return None if _clients.invents_ids(self._client) else text(response, "id")

    def describe(self, call: Any, response: Any) -> None:
        """Record the provider's response; else AG2's, which has the fields of OpenAI's."""
        if call.detailed:
            self._describe_request(call)
        choices = list(items(response, "choices"))
        provider_response = self._response
        call.response_id = self.response_id(response)
        model = provider_response and provider_response.model
        call.response_model = model or text(response, "model")
        if provider_response is not None:
            call.finish_reasons, usage = provider_response.finish_reasons, provider_response.usage
        else:
            reasons = [text(choice, "finish_reason") for choice in choices or [response]]
            call.finish_reasons, usage = tuple(filter(None, reasons)), self._usage(response)
        if choices and call.content.enabled:
            output = self._api.output_messages(response)
            call.content.output_messages = with_finish_reasons(output, call.finish_reasons)
        if usage is not None:
            call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
            call.attributes.update(usage.breakdown)

    def _describe_request(self, call: Any) -> None:
        requested = inference_attributes(as_mapping(self._params))
        # Some of AG2's clients ignore ``stream`` and send a request without it.
        if self._first_chunk is None and not _clients.may_stream_unobserved(self._client):
            requested.pop(attr.GEN_AI_REQUEST_STREAM, None)
        call.attributes.update(requested)
        if self._first_chunk is not None:
            seconds = (self._first_chunk - call.start_time) / 1e9
            call.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = seconds

    def _usage(self, response: Any) -> Usage | None:
        """Return the usage in AG2's response, None if it is not the provider's."""
        # AG2 fills in zeros where the provider sent no usage, and a guess for a stream.
        usage = None if self._usage_is_guess else usage_of(field(response, "usage"))
        return usage if usage is not None and (usage.input_tokens or usage.output_tokens) else None


def _is_builtin(error: BaseException) -> bool:
    return type(error).__module__ == "builtins"


_MODEL_CALL: Final = Slot("ag2-classic-model-call", FrameworkModelCall)


def current_model_call() -> FrameworkModelCall | None:
    """Return the client call in progress in the current context."""
    return unfinished(_MODEL_CALL)


def model_call(telemetry: Telemetry, call: Call) -> FrameworkModelCall:
    """Start at ``ModelClient.create(params)``."""
    return FrameworkModelCall(telemetry, call.instance, call.argument(0, "params"))
