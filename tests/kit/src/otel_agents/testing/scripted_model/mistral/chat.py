"""Chat, fill-in-the-middle and agents: `POST …/completions`, whole and streamed."""

from __future__ import annotations

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
from otel_agents.testing.scripted_model.mistral.shapes import (
    content_of,
    function_call,
    model_name,
    text_chunk,
    thinking_chunk,
    usage_of,
)
from otel_agents.testing.scripted_model.openai import chat
from otel_agents.testing.scripted_model.values import Json


def read(body: Json) -> ParsedRequest:
    """Parse a request; fill-in-the-middle has a prompt instead of messages."""
    prompt = body.get("prompt")
    return ParsedRequest(prompt=prompt) if isinstance(prompt, str) else chat.read(body)


def write(exchange: Exchange) -> Reply:
    """Return a completion, or its chunks."""
    scripted = exchange.response
    response_id = scripted.id or exchange.numbers.id("")
    usage = exchange.usage if scripted.include_usage else None
    head: Json = {
        "id": response_id,
        "created": exchange.created,
        "model": model_name(exchange),
        **scripted.extra,
    }
    choices = range(scripted.choices or exchange.request.choices)
    calls = [function_call(exchange, call, i) for i, call in enumerate(scripted.tool_calls)]
    if not exchange.request.stream:
        message: Json = {
            "role": "assistant",
            "content": content_of(exchange),
            "tool_calls": calls or None,
            "prefix": False,
        }
        listed = [
            {"index": index, "message": message, "finish_reason": scripted.reason}
            for index in choices
        ]
        reported = usage_of(usage or exchange.usage)
        payload = {**head, "object": "chat.completion", "choices": listed, "usage": reported}
        payload |= scripted.extra
        return body_reply(exchange, payload, exchange.usage, response_id)
    head["object"] = "chat.completion.chunk"
    frames = [
        sse({**head, "choices": [{"index": index, "delta": delta, "finish_reason": None}]})
        for index in choices
        for delta in _deltas(exchange, calls)
    ]
    last = [
        {"index": index, "delta": {"content": ""}, "finish_reason": scripted.reason}
        for index in choices
    ]
    reported = {"usage": usage_of(usage)} if usage else {}
    frames.append(sse({**head, "choices": last, **reported}, has_usage=usage is not None))
    frames.append(Frame(b"data: [DONE]\n\n"))
    return stream_reply(exchange, frames, usage, response_id)


def _deltas(exchange: Exchange, calls: list[Json]) -> list[Json]:
    """Return the deltas: reasoning and scripted items in lists of chunks, each tool call whole."""
    scripted = exchange.response
    deltas: list[Json] = [{"role": "assistant", "content": ""}]
    deltas += [{"content": [thinking_chunk(it)]} for it in chunks(scripted.reasoning or "")]
    in_lists = bool(scripted.items)
    texts = chunks(scripted.content or "")
    deltas += [{"content": [text_chunk(text)] if in_lists else text} for text in texts]
    deltas += [{"content": [dict(item)]} for item in scripted.items]
    return deltas + [{"content": "", "tool_calls": [call]} for call in calls]
