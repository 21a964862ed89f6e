"""The SDKs that AG2's clients send with: each request that is sent, and what answers it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.calls.streams import StreamProxy
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.servers import server_of

from ._models import Answer, current_answer
from ._responses import ANTHROPIC, BEDROCK, GEMINI, Dialect

__all__ = ["SDKS"]

_CONVERSE: Final = "Converse"


class _Request(Passing):
    """A request of an SDK's, for a client of AG2's."""

    def __init__(self, answer: Answer, dialect: Dialect, *, streams: bool) -> None:
        super().__init__(get_current())
        self._answer, self._read, self._streams = answer, dialect.read, streams
        self._pieces = dialect.gather()

    def returned(self, value: Any) -> Any:
        """The response is there, or its stream has begun."""
        if self._streams:
            return StreamProxy(value, self)
        self._answer.received(self._read(value))
        return value

    def chunk(self, item: Any) -> object:
        """A piece of a stream is there."""
        self._answer.chunked()
        self._pieces.add(item)
        return None

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self._answer.received(self._read(self._pieces.answer()))

    def failed(self, error: BaseException) -> None:
        """The request was refused, or its stream broke; AG2 may send another."""
        self._answer.refusing(error)


def _sent(dialect: Dialect, url: Callable[[Any], Any]) -> Callable[[Telemetry], Begin]:
    def making(telemetry: Telemetry) -> Begin:
        def begin(call: Call) -> Running | None:
            answer = current_answer()
            if answer is None:
                return None
            answer.sends(server_of(url(call.instance)))
            return _Request(answer, dialect, streams=call.kwargs.get("stream") is True)

        return begin

    return making


def _conversed(telemetry: Telemetry) -> Begin:
    """``BaseClient._make_api_call(operation_name, api_params)`` of botocore's, for any service."""
    begin_converse = _sent(BEDROCK, lambda client: client.meta.endpoint_url)(telemetry)

    def begin(call: Call) -> Running | None:
        named = call.argument(0, "operation_name")
        return begin_converse(call) if named == _CONVERSE else None

    return begin


_messages: Final = _sent(ANTHROPIC, lambda messages: messages._client.base_url)
_generated: Final = _sent(GEMINI, lambda models: models._api_client._http_options.base_url)
SDKS: Final[dict[str, Callable[[Telemetry], Begin]]] = {
    "anthropic.resources.messages:Messages.create": _messages,
    "anthropic.resources.messages:Messages.parse": _messages,
    "anthropic.resources.beta.messages:Messages.create": _messages,
    "anthropic.resources.beta.messages:Messages.parse": _messages,
    "google.genai.models:Models.generate_content": _generated,
    "google.genai.models:Models.generate_content_stream": _generated,
    "botocore.client:BaseClient._make_api_call": _conversed,
}
"""What AG2's own clients call, by the SDKs' own names; nothing is seen of other callers' calls."""
