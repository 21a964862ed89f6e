"""Model clients, below the cache: what they are asked, and what has answered."""

from __future__ import annotations

import time
from typing import Any, Final

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
from otel_agents.instrumentors._dialects.parts import finished
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from . import _clients
from ._responses import Told

__all__ = ["Answer", "answered", "current_answer"]


class Answer(ClaimedCall):
    """One call of a client: as a rule one request to its provider.

    Of clients whose SDK is known here each request is seen to be sent, by `sends`: AG2 may send
    another after a refusal.
    """

    def __init__(self, telemetry: Telemetry, client: Any, asked: Any) -> None:
        completes = field(asked, "prompt") is not None
        self._api = api = COMPLETIONS if completes else CHAT
        super().__init__(
            telemetry,
            Operation.TEXT_COMPLETION if completes else _clients.operation_of(client),
            model=text(asked, "model"),
            provider=_clients.provider_of(client),
            sends_itself=True,
            record_request=lambda content: api.ask(content, asked),
        )
        self.server = _clients.server_of_client(client)
        self._client = client
        self._asked = asked
        self._guessed = bool(field(asked, "stream")) and _clients.guesses_streams(client)
        self._sent = False
        self._told: Told | None = None
        self._failure: BaseException | None = None
        self._first_chunk: int | None = None
        self.context = _ANSWER.set(self, self.context)

    def sends(self, server: tuple[str, int] | None) -> None:
        """A request follows; what was sent before is over."""
        if self._failure is not None:
            self.attempt_failed(self._failure)
        elif self._told is not None:
            self.responded(None)
        if self._sent:
            self.attempt()
        self._sent, self._told, self._failure, self._first_chunk = True, None, None, None
        self.server = server or self.server

    def received(self, told: Told) -> None:
        """The response is there."""
        self._told = told

    def chunked(self) -> None:
        """A piece of its stream is there."""
        if self._first_chunk is None:
            self._first_chunk = time.time_ns()

    def refusing(self, error: BaseException) -> None:
        """The request has failed; AG2 may send another."""
        self._failure = error

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """What has failed is the provider, or AG2 by what it was asked or answered."""
        if error is None:
            return None
        if self._told is not None:
            self.responded(None)
        elif not self._sent and _clients.is_seen_to_send(self._client) and _is_builtin(error):
            self.nothing_sent()
        return error

    def response_id(self, response: Any) -> str | None:
        """The provider's; a client of the application's own may have none."""
        if self._told is not None:
            return self._told.id
        return None if _clients.makes_ids_up(self._client) else text(response, "id")

    def describe(self, call: Any, response: Any) -> None:
        """What the provider has told; AG2's response is OpenAI's, or has the same fields."""
        if call.detailed:
            self._describe_request(call)
        choices = list(items(response, "choices"))
        told = self._told
        call.response_id = self.response_id(response)
        call.response_model = (told and told.model) or text(response, "model")
        reasons = [text(choice, "finish_reason") for choice in choices or [response]]
        call.finish_reasons = told.reasons if told else tuple(filter(None, reasons))
        if choices and call.content.enabled:
            output = self._api.output(response)
            call.content.output_messages = finished(output, call.finish_reasons)
        usage = told.usage if told else self._usage(response)
        if usage is not None:
            call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
            call.attributes.update(usage.breakdown)

    def _describe_request(self, call: Any) -> None:
        requested = inference_attributes(as_mapping(self._asked))
        if self._first_chunk is None and not _clients.streams_unseen(self._client):
            requested.pop(attr.GEN_AI_REQUEST_STREAM, None)  # AG2 may not stream though it is asked
        call.attributes.update(requested)
        if self._first_chunk is not None:
            seconds = (self._first_chunk - call.start_time) / 1e9
            call.attributes[attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK] = seconds

    def _usage(self, response: Any) -> Usage | None:
        """What AG2 has kept; it has zeros where nothing was told, and in a stream its own guess."""
        usage = None if self._guessed else usage_of(field(response, "usage"))
        return usage if usage is not None and (usage.input_tokens or usage.output_tokens) else None


def _is_builtin(error: BaseException) -> bool:
    return type(error).__module__ == "builtins"


_ANSWER: Final = Slot("ag2-answer", Answer)


def current_answer() -> Answer | None:
    """The call of a client that is being answered here."""
    return unfinished(_ANSWER)


def answered(telemetry: Telemetry, call: Call) -> Answer:
    """``ModelClient.create(params)``."""
    return Answer(telemetry, call.instance, call.argument(0, "params"))
