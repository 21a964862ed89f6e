"""Conversations: start, append and restart, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from otel_agents.testing.scripted_model.chunks import chunks, fragments
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
    model_name,
    text_chunk,
    thinking_chunk,
)
from otel_agents.testing.scripted_model.openai.shapes import function_tool
from otel_agents.testing.scripted_model.reactions import ToolCall, Usage
from otel_agents.testing.scripted_model.values import Json, json_object, json_objects, texts


def read(body: Json) -> ParsedRequest:
    """Parse a request; `inputs` is a text or a list of entries."""
    inputs = body.get("inputs")
    entries = json_objects(inputs)
    declared = [json_object(tool.get("function")) for tool in json_objects(body.get("tools"))]
    contents = [text for entry in entries for text in texts(entry.get("content"))]
    return ParsedRequest(
        prompt=inputs if isinstance(inputs, str) else "\n".join(contents),
        tools=[function_tool(tool) for tool in declared if tool],
        has_tool_result=any(entry.get("type") == "function.result" for entry in entries),
    )


def write(exchange: Exchange) -> Reply:
    """Return the entries that the conversation grew by, or their events.

    `Response.items` are entries of tools that the server executed; they precede the message. The
    tokens of a connector are cache-write tokens in the script, which this API does not have.
    """
    conversation = exchange.request.parts.get("id")
    if conversation is None or exchange.request.api == "conversations.restart":
        conversation = exchange.response.id or exchange.numbers.id("conv_")
    if exchange.request.stream:
        frames = _frames(exchange, conversation)
        return stream_reply(exchange, frames, exchange.usage, exchange.numbers.id("entry-"))
    payload: Json = {
        "object": "conversation.response",
        "conversation_id": conversation,
        "outputs": _entries(exchange),
        "usage": _usage(exchange.usage),
        **exchange.response.extra,
    }
    return body_reply(exchange, payload, exchange.usage, exchange.numbers.id("entry-"))


def _usage(usage: Usage) -> Json:
    connector = usage.cache_write_tokens
    counts: Json = {
        "prompt_tokens": usage.input_tokens - connector,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    if connector:
        counts |= {"connector_tokens": connector, "connectors": {"web_search": 1}}
    return counts


def _entries(exchange: Exchange) -> list[Json]:
    scripted = exchange.response
    entries = [dict(item) for item in scripted.items if "type" in item]
    if scripted.content is not None:
        entries.append(
            {
                "object": "entry",
                "type": "message.output",
                "id": exchange.numbers.id("msg_"),
                "model": model_name(exchange),
                "role": "assistant",
                "content": _content(exchange),
            }
        )
    return entries + [_call(exchange, call) for call in scripted.tool_calls]


def _content(exchange: Exchange) -> str | list[Json]:
    if exchange.response.reasoning is None:
        return exchange.response.content or ""
    content = content_of(exchange)
    return content if isinstance(content, str) else content[:2]


def _call(exchange: Exchange, call: ToolCall) -> Json:
    return {
        "object": "entry",
        "type": "function.call",
        "id": exchange.numbers.id("fc_"),
        "tool_call_id": call.id or exchange.numbers.id("call"),
        "name": call.name,
        "arguments": call.arguments_text,
        "model": model_name(exchange),
    }


def _frames(exchange: Exchange, conversation: str) -> Iterator[Frame]:
    yield _event("conversation.response.started", conversation_id=conversation)
    for index, entry in enumerate(_entries(exchange)):
        yield from _entry_frames(exchange, entry, index)
    done: Json = {"type": "conversation.response.done", "usage": _usage(exchange.usage)}
    yield sse(done, name=done["type"], has_usage=True)


def _entry_frames(exchange: Exchange, entry: Json, index: int) -> Iterator[Frame]:
    kind, where = entry["type"], {"id": entry.get("id", "entry"), "output_index": index}
    if kind == "message.output":
        for content_index, content in _contents(exchange):
            delta = {"content": content, "content_index": content_index, "role": "assistant"}
            yield _event("message.output.delta", **where, model=entry["model"], **delta)
    elif kind == "function.call":
        named = {"name": entry["name"], "tool_call_id": entry["tool_call_id"], **where}
        named["model"] = entry["model"]
        for part in fragments(entry["arguments"]):
            yield _event("function.call.delta", **named, arguments=part)
    elif kind == "tool.execution":
        named = {"name": entry["name"], **where}
        yield _event("tool.execution.started", **named, arguments="")
        for part in fragments(entry["arguments"]):
            yield _event("tool.execution.delta", **named, arguments=part)
        yield _event("tool.execution.done", **named, info=entry.get("info"))
    elif kind == "agent.handoff":
        for moment, side in (("started", "previous"), ("done", "next")):
            agent = {f"{side}_agent_{key}": entry[f"{side}_agent_{key}"] for key in ("id", "name")}
            yield _event(f"agent.handoff.{moment}", **where, **agent)


def _contents(exchange: Exchange) -> Iterator[tuple[int, str | Json]]:
    """Yield the deltas of a message, each with the index of the content that it continues."""
    scripted = exchange.response
    if scripted.reasoning is None:
        yield from ((0, text) for text in chunks(scripted.content or ""))
        return
    yield from ((0, thinking_chunk(text)) for text in chunks(scripted.reasoning))
    yield from ((1, text_chunk(text)) for text in chunks(scripted.content or ""))


def _event(kind: str, **fields: Any) -> Frame:
    return sse({"type": kind, **fields}, name=kind)
