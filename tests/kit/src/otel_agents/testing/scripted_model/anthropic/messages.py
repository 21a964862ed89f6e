"""Messages: `POST /v1/messages`, whole and streamed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from otel_agents.testing.scripted_model.chunks import chunks, fragments
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    Tool,
    body_reply,
    encode,
    sse,
    stream_reply,
)
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, ToolCall, Usage
from otel_agents.testing.scripted_model.values import Json, json_object, json_objects, texts

STOP_REASONS = MappingProxyType(
    {
        "stop": "end_turn",
        "tool_calls": "tool_use",
        "length": "max_tokens",
        "content_filter": "refusal",
    }
)
"""Anthropic's spelling of the finish reasons."""
_ERRORS = MappingProxyType(
    {
        400: "invalid_request_error",
        401: "authentication_error",
        403: "permission_error",
        404: "not_found_error",
        413: "request_too_large",
        429: "rate_limit_error",
        529: "overloaded_error",
    }
)


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    messages = json_objects(body.get("messages"))
    last = json_objects(messages[-1].get("content")) if messages else []
    tools = [tool for tool in json_objects(body.get("tools")) if "input_schema" in tool]
    return ParsedRequest(
        prompt="\n".join(
            [*texts(body.get("system")), *(text for m in messages for text in _texts(m))]
        ),
        tools=[Tool(str(tool.get("name")), json_object(tool["input_schema"])) for tool in tools],
        has_tool_result=any(block.get("type") == "tool_result" for block in last),
        forced_tool=_forced(json_object(body.get("tool_choice"))),
        schema=_schema(body),
    )


def _schema(body: Json) -> Json | None:
    """Return the requested JSON schema; `output_format` is the beta's older name."""
    config = json_object(body.get("output_config"))
    schema = json_object(config.get("format") or body.get("output_format")).get("schema")
    return json_object(schema) if schema else None


def _texts(message: Json) -> list[str]:
    content = message.get("content")
    if isinstance(content, str):
        return [content]
    blocks = json_objects(content)
    return [text for b in blocks for text in texts(b.get("text") or b.get("content"))]


def _forced(choice: Json) -> str | None:
    if choice.get("type") == "none":
        return ""
    name = choice.get("name")
    return name if isinstance(name, str) else None


def write(exchange: Exchange) -> Reply:
    """Return a message, or its events."""
    message = message_of(exchange)
    if exchange.request.stream:
        frames = (
            sse(event, name=event["type"], usage=usage)
            for event, usage in events(message, exchange.usage)
        )
        return stream_reply(exchange, frames, exchange.usage, message["id"])
    return body_reply(exchange, message, exchange.usage, message["id"])


def message_of(exchange: Exchange) -> Json:
    """Return the whole message."""
    scripted = exchange.response
    return {
        "id": scripted.id or exchange.numbers.id("msg_"),
        "type": "message",
        "role": "assistant",
        "model": scripted.model or exchange.request.model,
        "content": _blocks(exchange),
        "stop_reason": STOP_REASONS.get(scripted.reason, scripted.reason),
        "stop_sequence": None,
        "usage": _usage(exchange.usage),
        **scripted.extra,
    }


def _usage(usage: Usage) -> Json:
    """Return usage: input tokens exclude cached and cache-write tokens."""
    thoughts = usage.reasoning_tokens
    fresh = usage.input_tokens - usage.cached_tokens - usage.cache_write_tokens
    return {
        "input_tokens": fresh,
        "cache_creation_input_tokens": usage.cache_write_tokens,
        "cache_read_input_tokens": usage.cached_tokens,
        "output_tokens": usage.output_tokens,
        "service_tier": "standard",
        **({"output_tokens_details": {"thinking_tokens": thoughts}} if thoughts else {}),
    }


def _blocks(exchange: Exchange) -> list[Json]:
    scripted = exchange.response
    blocks: list[Json] = []
    if scripted.reasoning is not None:
        blocks.append({"type": "thinking", "thinking": scripted.reasoning, "signature": "signed"})
    blocks += [dict(item) for item in scripted.items]
    if scripted.content is not None:
        blocks.append({"type": "text", "text": scripted.content})
    return [*blocks, *(_tool_use(exchange, call) for call in scripted.tool_calls)]


def _tool_use(exchange: Exchange, call: ToolCall) -> Json:
    call_id = call.id or exchange.numbers.id("toolu_")
    return {"type": "tool_use", "id": call_id, "name": call.name, "input": call.arguments_value}


def events(message: Json, billed: Usage) -> Iterator[tuple[Json, Usage | None]]:
    """Yield the events of a message, each with the usage that it reports.

    The first one reports the input, which is billed even if the stream breaks.
    """
    usage = {**message["usage"], "output_tokens": 1}
    started: Json = {**message, "content": [], "stop_reason": None, "usage": usage}
    started.pop("stop_details", None)
    yield _event("message_start", message=started), replace(billed, output_tokens=0)
    for index, block in enumerate(message["content"]):
        opened, deltas = _opening_and_deltas(block)
        yield _event("content_block_start", index=index, content_block=opened), None
        if not index:
            yield _event("ping"), None
        for delta in deltas:
            yield _event("content_block_delta", index=index, delta=delta), None
        yield _event("content_block_stop", index=index), None
    ended = ("stop_reason", "stop_sequence", "stop_details")
    delta = {name: message[name] for name in ended if name in message}
    yield _event("message_delta", delta=delta, usage=message["usage"]), billed
    yield _event("message_stop"), None


def _event(kind: str, **fields: Any) -> Json:
    return {"type": kind, **fields}


def _opening_and_deltas(block: Json) -> tuple[Json, list[Json]]:
    """Return a block without its content, and the deltas that complete it."""
    kind = block["type"]
    if kind == "text":
        deltas = [{"type": "text_delta", "text": chunk} for chunk in chunks(block["text"])]
        cited = [
            {"type": "citations_delta", "citation": one}
            for one in json_objects(block.get("citations"))
        ]
        return {**block, "text": "", **({"citations": []} if cited else {})}, [*deltas, *cited]
    if kind == "thinking":
        thoughts = chunks(block["thinking"])
        deltas = [{"type": "thinking_delta", "thinking": chunk} for chunk in thoughts]
        deltas.append({"type": "signature_delta", "signature": block["signature"]})
        return {"type": "thinking", "thinking": "", "signature": ""}, deltas
    if kind == "compaction":
        return {**block, "content": None}, [
            {"type": "compaction_delta", "content": block["content"]}
        ]
    if not kind.endswith("_use"):
        return block, []
    call = ToolCall(block["name"], block["input"])
    parts = fragments(call.arguments_text)
    deltas = [{"type": "input_json_delta", "partial_json": part} for part in ("", *parts)]
    return {**block, "input": {}}, deltas


def error_status(failure: Failure) -> bytes:
    """Return the body of an HTTP error."""
    kind = failure.kind or failure.code or _ERRORS.get(failure.status, "api_error")
    return encode({"type": "error", "error": {"type": kind, "message": failure.message}})


def error_event(event: ErrorEvent, position: int) -> Frame:
    """Return the error event of a stream."""
    kind = "api_error" if event.code == "server_error" else event.code
    error = {"type": kind, "message": event.message}
    return sse({"type": "error", "error": error}, name="error")
