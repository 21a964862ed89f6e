"""Images: `POST /images/generations`, `/images/edits` and `/images/variations`."""

from __future__ import annotations

import base64
from collections.abc import Callable
from dataclasses import replace

from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    body_reply,
    sse,
    stream_reply,
)
from otel_agents.testing.scripted_model.reactions import Usage
from otel_agents.testing.scripted_model.values import Json, whole

# one transparent pixel
_PNG = base64.b64decode(
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="
)


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    return ParsedRequest(prompt=str(body.get("prompt") or ""), choices=whole(body.get("n"), 1))


def writer(event: str) -> Callable[[Exchange], Reply]:
    """Return a `write` whose stream events are named `event`.…, such as "image_generation"."""
    return lambda exchange: _write(exchange, event)


def _write(exchange: Exchange, event: str) -> Reply:
    scripted, body = exchange.response, exchange.request.body
    # the API has no response id; the ledger needs one
    response_id = exchange.numbers.id("img-")
    usage = _usage(exchange)
    reported: Json = {"usage": _token_counts(usage)} if usage else {}
    pictures = [base64.b64encode(image).decode() for image in _images(exchange)]
    if exchange.request.stream:
        look = {name: str(body.get(name) or "auto") for name in ("background", "quality", "size")}
        look["output_format"] = str(body.get("output_format") or "png")
        partial: Json = {"created_at": exchange.created, "b64_json": pictures[0], **look}
        frames = [
            _event(f"{event}.partial_image", {**partial, "partial_image_index": index})
            for index in range(whole(body.get("partial_images"), 0))
        ]
        frames.append(_event(f"{event}.completed", {**partial, **reported}, usage is not None))
        return stream_reply(exchange, frames, usage, response_id)
    as_url = body.get("response_format") == "url"
    url = "https://images.example.com/{}.png"
    data: list[Json] = [
        {"url": url.format(response_id)} if as_url else {"b64_json": it} for it in pictures
    ]
    payload: Json = {"created": exchange.created, "data": data, **reported, **scripted.extra}
    return body_reply(exchange, payload, usage, response_id)


def _images(exchange: Exchange) -> list[bytes]:
    count = exchange.response.choices or exchange.request.choices
    return list(exchange.response.images) or [_PNG] * count


def _usage(exchange: Exchange) -> Usage | None:
    """Return the scripted usage, else output of image tokens only; DALL-E reports none."""
    if not exchange.response.include_usage:
        return None
    if exchange.response.usage is not None:
        return exchange.response.usage
    if not exchange.request.model.startswith("gpt-image"):
        return None
    issued = exchange.usage
    return replace(
        issued, cached_tokens=0, reasoning_tokens=0, output_image_tokens=issued.output_tokens
    )


def _token_counts(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "image_tokens": usage.input_image_tokens,
            "text_tokens": usage.input_text_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {
            "image_tokens": usage.output_image_tokens,
            "text_tokens": usage.output_text_tokens,
        },
        "total_tokens": usage.total_tokens,
    }


def _event(name: str, fields: Json, has_usage: bool = False) -> Frame:
    return sse({"type": name, **fields}, name=name, has_usage=has_usage)
