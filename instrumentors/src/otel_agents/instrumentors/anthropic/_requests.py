"""Observes every request to a model, whatever the client's platform."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls import bodies, results
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.anthropic import event_stream
from otel_agents.instrumentors._dialects.anthropic.api import APIS
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.instrumentors._dialects.generation import Generation
from otel_agents.instrumentors._dialects.openai.hosts import known_provider
from otel_agents.instrumentors._sdks.stainless import Endpoints, Sdk
from otel_agents.semconv.values import Provider

from . import _own_spans, _runner

if TYPE_CHECKING:
    from anthropic._base_client import BaseClient
    from anthropic._models import FinalRequestOptions

__all__ = ["ENDPOINTS", "SDK", "MessageGeneration", "request"]

_PLATFORMS: Final = MappingProxyType(
    {
        "BaseBedrockClient": Provider.AWS_BEDROCK,
        "BaseMantleClient": Provider.AWS_BEDROCK,
        "BaseVertexClient": Provider.GCP_VERTEX_AI,
        # Anthropic runs it there itself, and the SDK names it so.
        "BaseFoundryClient": Provider.ANTHROPIC,
    }
)
"""The provider by the base class of a platform's clients."""


def _provider(client: BaseClient[Any, Any], host: str) -> str | None:
    for cls in type(client).__mro__:
        platform = _PLATFORMS.get(cls.__name__)
        if platform is not None:
            return platform.value
    known = known_provider(host)
    return None if known == Provider.AZURE_AI_OPENAI.value else known  # that is OpenAI's format


_AMAZON_ERROR: Final = "x-amzn-errortype"
"""The header with the name of an error, which a colon and a URL may follow."""


class MessageGeneration(Generation):
    """An inference whose stream may be read below the stream that the SDK returns, as bytes."""

    __slots__ = ("reads_body",)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.reads_body = False
        """Whether a stream's events are read from its response body."""

    def error_code(self, error: BaseException) -> str | None:
        """Return the type in the body of an error, such as ``overloaded_error``."""
        # Vertex AI's errors have a status instead, and those of Bedrock a header.
        code = code_in(getattr(error, "body", None), "type", "status")
        response = getattr(error, "response", None)
        if code is None and response is not None:
            return response.headers.get(_AMAZON_ERROR, "").partition(":")[0] or None
        return code

    def returned(self, value: Any) -> Any:
        """Record the result, now or while it is read."""
        raw = results.http_response(value)
        response = value.response if self.reads_body else raw
        if response is None:
            return super().returned(value)
        self.follow_response(response)
        return value

    def follow_response(self, response: Any) -> None:
        """Record an httpx response, now or while its body is read."""
        framed = event_stream.CONTENT_TYPE in response.headers.get("content-type", "")
        decode = event_stream.Events().read if framed else None
        if not bodies.follow(self, response, decode):
            self.end()


ENDPOINTS: Final = Endpoints(_provider, Provider.ANTHROPIC.value)
"""The endpoints of the SDK's clients."""

SDK: Final = Sdk(APIS, ENDPOINTS, MessageGeneration)
"""Its requests to models."""

_HELPER: Final = "X-Stainless-Stream-Helper"


def _helper_reads_body(options: FinalRequestOptions) -> bool:
    """Return whether ``messages.stream`` sends this, and reads the response past its stream.

    Before 0.43 the helper takes the response out of the stream that `request` returns to it.
    """
    if _HELPER not in as_mapping(options.headers):
        return False
    from anthropic.lib.streaming import MessageStream

    return "raw_stream" not in MessageStream.__init__.__annotations__


def request(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``SyncAPIClient.request(cast_to, options, …)`` or its async twin."""
    client = call.instance
    generation = SDK.request(telemetry, call, _runner.parent_for(telemetry, client))
    if isinstance(generation, MessageGeneration):
        generation.reads_body = _helper_reads_body(call.argument(1, "options"))
        _own_spans.adopt(telemetry, client, generation)
    return generation
