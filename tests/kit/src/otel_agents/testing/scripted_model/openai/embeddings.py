"""Embeddings: `POST /embeddings`, vectors of word hashes, so that similar texts are near."""

from __future__ import annotations

import base64
import hashlib
import math
import re
import struct
from dataclasses import replace

from otel_agents.testing.scripted_model.dialect import Exchange, ParsedRequest, Reply, body_reply
from otel_agents.testing.scripted_model.openai.shapes import model_name
from otel_agents.testing.scripted_model.values import Json, json_list, texts, whole

_DIMENSIONS = 64


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    return ParsedRequest(prompt="\n".join(texts(body.get("input"))))


def write(exchange: Exchange) -> Reply:
    """Return one vector per input, as numbers or as base64 of 32-bit floats."""
    body, scripted = exchange.request.body, exchange.response
    size = whole(body.get("dimensions"), _DIMENSIONS)
    packed = body.get("encoding_format") == "base64"
    vectors = [vector(text, size) for text in _inputs(body.get("input"))]
    data = [
        {"object": "embedding", "index": index, "embedding": _packed(it) if packed else it}
        for index, it in enumerate(vectors)
    ]
    issued = replace(exchange.usage, output_tokens=0, reasoning_tokens=0, cached_tokens=0)
    usage = issued if scripted.include_usage else None
    payload: Json = {
        "object": "list",
        "data": data,
        "model": model_name(exchange),
        **scripted.extra,
    }
    if usage:
        payload["usage"] = {"prompt_tokens": usage.input_tokens, "total_tokens": usage.total_tokens}
    # the API has no response id; the ledger needs one
    response_id = exchange.numbers.id("embd-")
    return body_reply(exchange, payload, usage, response_id)


def _inputs(value: object) -> list[str]:
    """Return the input texts; a list of token numbers is the text of its numbers."""
    if isinstance(value, str):
        return [value]
    listed = json_list(value)
    if listed and isinstance(listed[0], int):
        return [" ".join(map(str, listed))]
    return [item if isinstance(item, str) else " ".join(map(str, item)) for item in listed]


def vector(text: str, size: int) -> list[float]:
    """Return a unit vector of a text: each word increments the component that its hash selects."""
    values = [0.0] * size
    for word in re.findall(r"\w+", text.lower()) or [""]:
        digest = hashlib.sha256(word.encode()).digest()
        values[int.from_bytes(digest[:4], "big") % size] += 1.0
    length = math.sqrt(sum(value * value for value in values))
    return [value / length for value in values]


def _packed(vector: list[float]) -> str:
    return base64.b64encode(struct.pack(f"<{len(vector)}f", *vector)).decode()
