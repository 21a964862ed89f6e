"""The requests that AG2's clients send by their SDKs, and the responses to them."""

from __future__ import annotations

from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.streams import StreamProxy
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.patching.patches import Patch
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.servers import server_of

from ._models import current_model_call
from ._provider_responses import ANTHROPIC, BEDROCK, GEMINI, Dialect

if TYPE_CHECKING:
    from ._models import FrameworkModelCall

__all__ = ["SDK_PATCHES"]

_CONVERSE: Final = "Converse"
_GENAI: Final = MappingProxyType({"google-genai": None})
"""Required for the ``google.genai`` patches: other distributions have a package ``google`` too."""


class _SdkRequest(Observation):
    """One request of an SDK for a client of AG2."""

    def __init__(self, model_call: FrameworkModelCall, dialect: Dialect, *, streams: bool) -> None:
        super().__init__()
        self._model_call, self._read, self._streams = model_call, dialect.read, streams
        self._chunks = dialect.accumulator()

    def returned(self, value: Any) -> Any:
        """Record the response, or observe its stream."""
        if self._streams:
            return StreamProxy(value, self)
        self._model_call.received(self._read(value))
        return value

    def chunk(self, item: Any) -> object:
        """Add one chunk of the stream."""
        self._model_call.chunk_received()
        self._chunks.add(item)
        return None

    def exhausted(self, value: Any) -> None:
        """Record the response at the end of the stream."""
        self._model_call.received(self._read(self._chunks.response()))

    def failed(self, error: BaseException) -> None:
        """Record that the request was refused or its stream broke; AG2 may send another one."""
        self._model_call.request_failed(error)


def _request(dialect: Dialect, url: Callable[[Any], Any]) -> Start:
    """Return a start for a method that sends a request to ``url(instance)``."""

    def start(telemetry: Telemetry, call: Call) -> CallObserver | None:
        model_call = current_model_call()
        if model_call is None:
            return None
        model_call.request_sent(server_of(url(call.instance)))
        return _SdkRequest(model_call, dialect, streams=call.kwargs.get("stream") is True)

    return start


_anthropic_request: Final = _request(ANTHROPIC, lambda messages: messages._client.base_url)
_gemini_request: Final = _request(GEMINI, lambda models: models._api_client._http_options.base_url)
_bedrock_request: Final = _request(BEDROCK, lambda client: client.meta.endpoint_url)


def _aws_request(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Start at botocore's ``BaseClient._make_api_call(operation_name, api_params)`` for Bedrock."""
    operation = call.argument(0, "operation_name")
    return _bedrock_request(telemetry, call) if operation == _CONVERSE else None


_MESSAGES: Final = "anthropic.resources.messages:Messages"
_BETA_MESSAGES: Final = "anthropic.resources.beta.messages:Messages"
_MODELS: Final = "google.genai.models:Models"
SDK_PATCHES: Final = (
    Patch(f"{_MESSAGES}.create", _anthropic_request),
    Patch(f"{_MESSAGES}.parse", _anthropic_request, since="0.77.0"),
    Patch(f"{_BETA_MESSAGES}.create", _anthropic_request, since="0.36.0"),
    Patch(f"{_BETA_MESSAGES}.parse", _anthropic_request, since="0.73.0"),
    Patch(f"{_MODELS}.generate_content", _gemini_request, since=_GENAI),
    Patch(f"{_MODELS}.generate_content_stream", _gemini_request, since=_GENAI),
    Patch("botocore.client:BaseClient._make_api_call", _aws_request),
)
"""Patches of the SDKs' methods that AG2's own clients call. Calls by other callers are ignored."""
