"""Requests for embeddings in OpenAI's format, which the SDKs of OpenAI and Groq send."""

from __future__ import annotations

from typing import Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.generation import Embedding
from otel_agents.instrumentors._dialects.openai.requests import embeddings_attributes
from otel_agents.instrumentors._dialects.openai.usage import embeddings_fields

from .stainless import Endpoints, RequestOptions, body_of, propagate_and_observe

__all__ = ["PATH", "embed"]

PATH: Final = "/embeddings"
"""The end of the request's path."""


def embed(
    telemetry: Telemetry,
    call: Call,
    options: RequestOptions,
    endpoints: Endpoints,
    operation: type[Embedding] = Embedding,
) -> Embedding:
    """Start ``operation`` for a request to an endpoint of ``endpoints``."""
    body, endpoint = body_of(options), endpoints.of(call.instance)
    model = body.get("model")
    embedding = operation(
        telemetry,
        embeddings_fields,
        embeddings_attributes(body),
        endpoint.provider,
        model if isinstance(model, str) else None,
        endpoint.server,
        parent=call.context,
        provider_is_guess=endpoint.provider_is_guess,
    )
    propagate_and_observe(telemetry, call, endpoint.host, embedding)
    return embedding
