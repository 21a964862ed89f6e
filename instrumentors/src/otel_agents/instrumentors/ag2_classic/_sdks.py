"""The SDKs that AG2's clients send with: each request that is sent, and what answers it."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.streams import StreamProxy
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.servers import server_of

from ._models import Answer, current_answer
from ._responses import ANTHROPIC, BEDROCK, GEMINI, Dialect

__all__ = ["SDKS"]

_CONVERSE: Final = "Converse"
_GENAI: Final = MappingProxyType({"google-genai": None})
"""Other distributions have a package ``google``, too."""


class _Request(Observation):
    """A request of an SDK's, for a client of AG2's."""

    def __init__(self, answer: Answer, dialect: Dialect, *, streams: bool) -> None:
        super().__init__()
        self._answer, self._read, self._streams = answer, dialect.read, streams
        self._chunks = dialect.accumulator()

    def returned(self, value: Any) -> Any:
        """The response is there, or its stream has begun."""
        if self._streams:
            return StreamProxy(value, self)
        self._answer.received(self._read(value))
        return value

    def chunk(self, item: Any) -> object:
        """A piece of a stream is there."""
        self._answer.chunked()
        self._chunks.add(item)
        return None

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self._answer.received(self._read(self._chunks.response()))

    def failed(self, error: BaseException) -> None:
        """The request was refused, or its stream broke; AG2 may send another."""
        self._answer.refusing(error)


def _sent(dialect: Dialect, url: Callable[[Any], Any]) -> Start:
    def start(telemetry: Telemetry, call: Call) -> CallObserver | None:
        answer = current_answer()
        if answer is None:
            return None
        answer.sends(server_of(url(call.instance)))
        return _Request(answer, dialect, streams=call.kwargs.get("stream") is True)

    return start


_messages: Final = _sent(ANTHROPIC, lambda messages: messages._client.base_url)
_generated: Final = _sent(GEMINI, lambda models: models._api_client._http_options.base_url)
_converse: Final = _sent(BEDROCK, lambda client: client.meta.endpoint_url)


def _called(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``BaseClient._make_api_call(operation_name, api_params)`` of botocore's, for any service."""
    named = call.argument(0, "operation_name")
    return _converse(telemetry, call) if named == _CONVERSE else None


SDKS: Final = (
    Patch("anthropic.resources.messages:Messages.create", _messages),
    Patch("anthropic.resources.messages:Messages.parse", _messages, since="0.77.0"),
    Patch("anthropic.resources.beta.messages:Messages.create", _messages, since="0.36.0"),
    Patch("anthropic.resources.beta.messages:Messages.parse", _messages, since="0.73.0"),
    Patch("google.genai.models:Models.generate_content", _generated, since=_GENAI),
    Patch("google.genai.models:Models.generate_content_stream", _generated, since=_GENAI),
    Patch("botocore.client:BaseClient._make_api_call", _called),
)
"""What AG2's own clients call, by the SDKs' own names; nothing is seen of other callers' calls."""
