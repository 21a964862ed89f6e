"""Conversations: `POST /model/NAME/converse`, and `/converse-stream` as an event stream."""

from __future__ import annotations

import json
from collections.abc import Iterator
from types import MappingProxyType

from otel_agents.testing.scripted_model.bedrock.event_stream import CONTENT_TYPE, event, exception
from otel_agents.testing.scripted_model.chunks import chunks, fragments
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    Tool,
    encode,
)
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, ToolCall, Usage
from otel_agents.testing.scripted_model.values import Json, json_object, json_objects, texts

_STOP_REASONS = MappingProxyType(
    {
        "stop": "end_turn",
        "tool_calls": "tool_use",
        "length": "max_tokens",
        "content_filter": "content_filtered",
    }
)
_ERRORS = MappingProxyType(
    {
        400: "ValidationException",
        403: "AccessDeniedException",
        404: "ResourceNotFoundException",
        408: "ModelTimeoutException",
        429: "ThrottlingException",
        503: "ServiceUnavailableException",
    }
)
REQUEST_ID = "x-amzn-RequestId"


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    messages = json_objects(body.get("messages"))
    blocks = [block for message in messages for block in json_objects(message.get("content"))]
    last = json_objects(messages[-1].get("content")) if messages else []
    config = json_object(body.get("toolConfig"))
    tools = [json_object(tool.get("toolSpec")) for tool in json_objects(config.get("tools"))]
    choice = json_object(config.get("toolChoice"))
    return ParsedRequest(
        prompt="\n".join(
            text
            for block in [*json_objects(body.get("system")), *blocks]
            for text in texts(block.get("text") or block.get("toolResult"))
        ),
        tools=[Tool(str(tool.get("name")), _parameters(tool)) for tool in tools if tool],
        has_tool_result=any("toolResult" in block for block in last),
        forced_tool=json_object(choice.get("tool")).get("name"),
    )


def _parameters(tool: Json) -> Json:
    return json_object(json_object(tool.get("inputSchema")).get("json"))


def write(exchange: Exchange) -> Reply:
    """Return a message, or its events. The body has no id; the request has the only one."""
    scripted, usage = exchange.response, exchange.usage
    request_id = scripted.id or exchange.numbers.id("")
    reported = usage if scripted.include_usage else None
    headers = {REQUEST_ID: request_id, **scripted.headers}
    whole = _whole(exchange)
    if exchange.request.stream:
        frames = tuple(
            event(kind, payload, has_usage="usage" in payload) for kind, payload in _events(whole)
        )
        return Reply(b"", frames, reported, request_id, CONTENT_TYPE, headers=headers)
    return Reply(encode(whole), None, reported, request_id, headers=headers)


def payloads(exchange: Exchange) -> Iterator[Json]:
    """Yield the events of a stream as Nova's own bodies have them: under their name."""
    for kind, payload in _events(_whole(exchange)):
        yield {kind: payload}


def _whole(exchange: Exchange) -> Json:
    scripted = exchange.response
    return {
        "output": {"message": {"role": "assistant", "content": _blocks(exchange)}},
        "stopReason": _STOP_REASONS.get(scripted.reason, scripted.reason),
        "metrics": {"latencyMs": 1},
        **({"usage": _usage(exchange.usage)} if scripted.include_usage else {}),
        **scripted.extra,
    }


def _usage(usage: Usage) -> Json:
    """Return usage: input tokens exclude cached and cache-write tokens, the total includes them."""
    cached, written = usage.cached_tokens, usage.cache_write_tokens
    counts = {
        "inputTokens": usage.input_tokens - cached - written,
        "outputTokens": usage.output_tokens,
        "totalTokens": usage.total_tokens,
    }
    caches = {"cacheReadInputTokens": cached, "cacheWriteInputTokens": written}
    return {**counts, **{name: count for name, count in caches.items() if count}}


def _blocks(exchange: Exchange) -> list[Json]:
    scripted = exchange.response
    blocks: list[Json] = []
    if scripted.reasoning is not None:
        thought = {"text": scripted.reasoning, "signature": "signed"}
        blocks.append({"reasoningContent": {"reasoningText": thought}})
    if scripted.content is not None:
        blocks.append({"text": scripted.content})
    return [*blocks, *(_tool_use(exchange, call) for call in scripted.tool_calls)]


def _tool_use(exchange: Exchange, call: ToolCall) -> Json:
    call_id = call.id or exchange.numbers.id("tooluse_")
    return {"toolUse": {"toolUseId": call_id, "name": call.name, "input": call.arguments_value}}


def _events(whole: Json) -> Iterator[tuple[str, Json]]:
    yield "messageStart", {"role": "assistant"}
    for index, block in enumerate(whole["output"]["message"]["content"]):
        position = {"contentBlockIndex": index}
        if "toolUse" in block:
            start = {name: block["toolUse"][name] for name in ("toolUseId", "name")}
            yield "contentBlockStart", {"start": {"toolUse": start}, **position}
        for delta in _deltas(block):
            yield "contentBlockDelta", {"delta": delta, **position}
        yield "contentBlockStop", position
    yield "messageStop", {"stopReason": whole["stopReason"]}
    yield "metadata", {name: whole[name] for name in ("usage", "metrics", "trace") if name in whole}


def _deltas(block: Json) -> list[Json]:
    if "text" in block:
        return [{"text": chunk} for chunk in chunks(block["text"])]
    if "toolUse" in block:
        parts = fragments(json.dumps(block["toolUse"]["input"]))
        return [{"toolUse": {"input": part}} for part in parts]
    thought = block["reasoningContent"]["reasoningText"]
    deltas: list[Json] = [{"text": chunk} for chunk in chunks(thought["text"])]
    return [{"reasoningContent": it} for it in [*deltas, {"signature": thought["signature"]}]]


def error_status(failure: Failure) -> bytes:
    """Return the body of an HTTP error."""
    kind = failure.kind or failure.code or _ERRORS.get(failure.status, "InternalServerException")
    return encode({"__type": kind, "message": failure.message})


def error_event(fault: ErrorEvent, position: int) -> Frame:
    """Return the error message of a stream."""
    kind = "internalServerException" if fault.code == "server_error" else fault.code
    return exception(kind, fault.message)
