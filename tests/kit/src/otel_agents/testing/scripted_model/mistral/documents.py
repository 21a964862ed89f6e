"""Embeddings and text recognition: `POST /v1/embeddings` and `/v1/ocr`."""

from __future__ import annotations

from dataclasses import replace

from otel_agents.testing.scripted_model.dialect import Exchange, ParsedRequest, Reply, body_reply
from otel_agents.testing.scripted_model.mistral.shapes import model_name, usage_of
from otel_agents.testing.scripted_model.openai.embeddings import vector
from otel_agents.testing.scripted_model.values import Json, json_list, texts, whole

_DIMENSIONS = 64


def read_embeddings(body: Json) -> ParsedRequest:
    """Parse a request for embeddings."""
    return ParsedRequest(prompt="\n".join(texts(body.get("input"))))


def write_embeddings(exchange: Exchange) -> Reply:
    """Return one vector per input."""
    body = exchange.request.body
    size = whole(body.get("output_dimension"), _DIMENSIONS)
    inputs = body.get("input")
    listed = [inputs] if isinstance(inputs, str) else json_list(inputs)
    usage = replace(exchange.usage, output_tokens=0, reasoning_tokens=0, cached_tokens=0)
    response_id = exchange.numbers.id("")
    payload: Json = {
        "id": response_id,
        "object": "list",
        "data": [
            {"object": "embedding", "index": index, "embedding": vector(str(text), size)}
            for index, text in enumerate(listed)
        ],
        "model": model_name(exchange),
        "usage": usage_of(usage),
        **exchange.response.extra,
    }
    return body_reply(exchange, payload, usage, response_id)


def read_pages(body: Json) -> ParsedRequest:
    """Parse a request for text recognition; it has no prompt."""
    return ParsedRequest()


def write_pages(exchange: Exchange) -> Reply:
    """Return the document as one page; the API bills pages, not tokens."""
    dimensions = {"dpi": 200, "height": 2200, "width": 1700}
    page: Json = {
        "index": 0,
        "markdown": exchange.response.content,
        "images": [],
        "dimensions": dimensions,
    }
    payload: Json = {
        "pages": [page],
        "model": model_name(exchange),
        "usage_info": {"pages_processed": 1, "doc_size_bytes": 4096},
        "document_annotation": None,
        **exchange.response.extra,
    }
    return body_reply(exchange, payload, None, exchange.numbers.id("ocr-"))
