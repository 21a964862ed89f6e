"""Embeddings: `POST /api/embed`."""

from __future__ import annotations

from dataclasses import replace

from otel_agents.testing.scripted_model.dialect import Exchange, ParsedRequest, Reply, body_reply
from otel_agents.testing.scripted_model.ollama.shapes import DURATIONS, counts, usage_of
from otel_agents.testing.scripted_model.openai.embeddings import vector
from otel_agents.testing.scripted_model.values import Json, texts, whole

_COUNTS = (*DURATIONS, "prompt_eval_count")
_DIMENSIONS = 64


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    return ParsedRequest(prompt="\n".join(texts(body.get("input"))))


def write(exchange: Exchange) -> Reply:
    """Return one vector per input text."""
    body, scripted = exchange.request.body, exchange.response
    reported = usage_of(exchange)
    usage = replace(reported, output_tokens=0) if reported else None
    size = whole(body.get("dimensions"), _DIMENSIONS)
    payload: Json = {
        "model": scripted.model or exchange.request.model,
        "embeddings": [vector(text, size) for text in texts(body.get("input"))],
        **{name: found for name, found in counts(usage).items() if name in _COUNTS},
        **scripted.extra,
    }
    # the API has no response id; the ledger needs one
    return body_reply(exchange, payload, usage, exchange.numbers.id("ollama-"))
