"""The requests of the SDK: some of OpenAI's APIs, at Groq's paths."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.generation import Embedding
from otel_agents.instrumentors._dialects.openai.groq import APIS, Generation, error_code
from otel_agents.instrumentors._dialects.openai.hosts import known_provider
from otel_agents.instrumentors._sdks import embeddings
from otel_agents.instrumentors._sdks.stainless import Endpoints, RequestOptions, Sdk
from otel_agents.semconv.values import Provider

if TYPE_CHECKING:
    from groq._base_client import BaseClient

__all__ = ["ENDPOINTS", "request"]


def _provider(client: BaseClient[Any, Any], host: str) -> str | None:
    return known_provider(host)


ENDPOINTS: Final = Endpoints(_provider, Provider.GROQ.value)
"""The endpoints of the SDK's clients."""


class _Embedding(Embedding):
    __slots__ = ()

    def error_code(self, error: BaseException) -> str | None:
        """Return the code in the body of an error."""
        return error_code(error)


def _other(
    telemetry: Telemetry, call: Call, options: RequestOptions, path: str
) -> Embedding | None:
    """Observe embeddings; batches, files and lists of models call no model."""
    if options.method.lower() == "post" and path.endswith(embeddings.PATH):
        return embeddings.embed(telemetry, call, options, ENDPOINTS, _Embedding)
    return None


request: Final = Sdk(APIS, ENDPOINTS, Generation, other=_other).request
"""Observes ``SyncAPIClient.request(cast_to, options, …)`` or its async twin."""
