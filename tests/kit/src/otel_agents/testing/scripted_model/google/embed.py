"""Embeddings: `POST …/models/NAME:batchEmbedContents`, `:embedContent`, and `:predict` of Vertex AI."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from otel_agents.testing.scripted_model.dialect import Exchange, ParsedRequest, Reply, body_reply
from otel_agents.testing.scripted_model.google.shapes import usage_metadata
from otel_agents.testing.scripted_model.openai.embeddings import vector
from otel_agents.testing.scripted_model.values import Json, json_object, json_objects, texts, whole

_DIMENSIONS = 64


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    return ParsedRequest(prompt="\n".join(_inputs(body)))


def _inputs(body: Json) -> list[str]:
    """Return one text per vector."""
    requests = json_objects(body.get("requests")) or json_objects(body.get("instances")) or [body]
    return [" ".join(texts(request.get("content"))) for request in requests]


def write(exchange: Exchange) -> Reply:
    """Return vectors, and usage, which Vertex AI's `:predict` reports for each of them."""
    body = exchange.request.body
    usage = replace(exchange.usage, output_tokens=0, reasoning_tokens=0, cached_tokens=0)
    vectors = [vector(text, _dimensions(body)) for text in _inputs(body)]
    payload: Json
    if "instances" in body:
        payload = {"predictions": _predictions(vectors, usage.input_tokens)}
    else:
        listed = [{"values": values} for values in vectors]
        payload = {"embeddings": listed} if "requests" in body else {"embedding": listed[0]}
        if exchange.response.include_usage:
            payload["usageMetadata"] = usage_metadata(usage)
    reported = usage if exchange.response.include_usage else None
    # the API has no response id; the ledger needs one
    return body_reply(
        exchange, {**payload, **exchange.response.extra}, reported, exchange.numbers.id("embd-")
    )


def _predictions(vectors: list[list[float]], tokens: int) -> list[Json]:
    """Return predictions that share the tokens; the first one has what does not divide."""
    share, rest = divmod(tokens, len(vectors))
    statistics: list[Json] = [
        {"truncated": False, "token_count": share + (rest if index == 0 else 0)}
        for index in range(len(vectors))
    ]
    return [
        {"embeddings": {"values": values, "statistics": counts}}
        for values, counts in zip(vectors, statistics, strict=True)
    ]


def _dimensions(body: Json) -> int:
    requests = json_objects(body.get("requests")) or [body]
    configs: list[Any] = [
        requests[0],
        json_object(body.get("embedContentConfig")),
        json_object(body.get("parameters")),
    ]
    sizes = (config.get("outputDimensionality") for config in configs)
    return whole(next((number for number in sizes if number), None), _DIMENSIONS)
