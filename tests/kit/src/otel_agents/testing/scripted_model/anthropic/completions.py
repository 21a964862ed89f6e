"""Legacy text completions: `POST /v1/complete`, whole and streamed. They report no usage."""

from __future__ import annotations

from collections.abc import Iterator

from otel_agents.testing.scripted_model.anthropic.messages import STOP_REASONS
from otel_agents.testing.scripted_model.chunks import chunks
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    body_reply,
    sse,
    stream_reply,
)
from otel_agents.testing.scripted_model.values import Json


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    return ParsedRequest(prompt=str(body.get("prompt") or ""))


def write(exchange: Exchange) -> Reply:
    """Return a completion, or its events."""
    scripted = exchange.response
    reason = "stop_sequence" if scripted.reason == "stop" else STOP_REASONS[scripted.reason]
    completion: Json = {
        "type": "completion",
        "id": scripted.id or exchange.numbers.id("compl_"),
        "completion": scripted.content,
        "stop_reason": reason,
        "stop": None,
        "model": scripted.model or exchange.request.model,
        **scripted.extra,
    }
    if exchange.request.stream:
        return stream_reply(exchange, _events(completion), None, completion["id"])
    return body_reply(exchange, completion, None, completion["id"])


def _events(completion: Json) -> Iterator[Frame]:
    for chunk in chunks(completion["completion"]):
        part = {**completion, "completion": chunk, "stop_reason": None}
        yield sse(part, name="completion")
    yield sse({**completion, "completion": ""}, name="completion")
