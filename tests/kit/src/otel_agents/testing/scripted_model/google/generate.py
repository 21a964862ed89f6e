"""Content: `POST …/models/NAME:generateContent`; `:streamGenerateContent` by server-sent events."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any

from otel_agents.testing.scripted_model.chunks import chunks
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
from otel_agents.testing.scripted_model.values import (
    Json,
    json_list,
    json_object,
    json_objects,
    texts,
)

_FINISH_REASONS = MappingProxyType(
    {
        "stop": "STOP",
        "tool_calls": "STOP",
        "length": "MAX_TOKENS",
        "content_filter": "SAFETY",
    }
)
_STATUSES = MappingProxyType(
    {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
)


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    contents = json_objects(body.get("contents"))
    last = json_objects(contents[-1].get("parts")) if contents else []
    contents_of_prompt = [json_object(body.get("systemInstruction")), *contents]
    parts = [part for content in contents_of_prompt for part in json_objects(content.get("parts"))]
    config = json_object(body.get("generationConfig"))
    return ParsedRequest(
        prompt="\n".join(text for p in parts for text in texts(p.get("text"))),
        tools=[
            Tool(str(function.get("name")), _schema(function, "parameters", "parametersJsonSchema"))
            for tool in json_objects(body.get("tools"))
            for function in json_objects(tool.get("functionDeclarations"))
        ],
        has_tool_result=any("functionResponse" in part for part in last),
        forced_tool=_forced(json_object(body.get("toolConfig"))),
        schema=_schema(config, "responseSchema", "responseJsonSchema") or None,
    )


def _schema(holder: Json, *names: str) -> Json:
    """Return the schema under one of these names; Google's own schemas spell types in capitals."""
    schemas = [json_object(_lowered(holder[name])) for name in names if holder.get(name)]
    return schemas[0] if schemas else Json()


def _lowered(schema: object) -> Any:
    listed = json_list(schema)
    if listed:
        return [_lowered(item) for item in listed]
    named = json_object(schema)
    if not named:
        return schema
    lowered = {name: _lowered(value) for name, value in named.items()}
    kind = lowered.get("type")
    return {**lowered, "type": kind.lower()} if isinstance(kind, str) else lowered


def _forced(config: Json) -> str | None:
    calling = json_object(config.get("functionCallingConfig"))
    mode, names = calling.get("mode"), json_list(calling.get("allowedFunctionNames"))
    if mode == "NONE":
        return ""
    return str(names[0]) if mode == "ANY" and names else None


def write(exchange: Exchange) -> Reply:
    """Return a response, or its chunks."""
    scripted, usage = exchange.response, exchange.usage
    response_id = scripted.id or exchange.numbers.id("resp-")
    finish_reason = _FINISH_REASONS.get(scripted.reason, scripted.reason)
    response: Json = {
        "candidates": [_candidate(_parts(exchange), finish_reason)],
        "modelVersion": scripted.model or exchange.request.model,
        "responseId": response_id,
        **({"usageMetadata": _usage(usage)} if scripted.include_usage else {}),
        **scripted.extra,
    }
    reported = usage if scripted.include_usage else None
    if exchange.request.stream:
        return stream_reply(exchange, _chunks(response), reported, response_id)
    return body_reply(exchange, response, reported, response_id)


def _candidate(parts: list[Json], finish_reason: str | None = None) -> Json:
    candidate: Json = {"content": {"role": "model", "parts": parts}, "index": 0}
    return {**candidate, "finishReason": finish_reason} if finish_reason else candidate


def _usage(usage: Usage) -> Json:
    """Return usage: candidates exclude thoughts, the prompt includes cached tokens."""
    counts = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "totalTokenCount": usage.total_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "thoughtsTokenCount": usage.reasoning_tokens,
    }
    return {name: count for name, count in counts.items() if count}


def _parts(exchange: Exchange) -> list[Json]:
    scripted = exchange.response
    parts: list[Json] = []
    if scripted.reasoning is not None:
        parts.append({"text": scripted.reasoning, "thought": True})
    if scripted.content is not None:
        parts.append({"text": scripted.content})
    return [*parts, *(_function_call(exchange, call) for call in scripted.tool_calls)]


def _function_call(exchange: Exchange, call: ToolCall) -> Json:
    call_id = call.id or exchange.numbers.id("call-")
    return {"functionCall": {"id": call_id, "name": call.name, "args": call.arguments_value}}


def _chunks(response: Json) -> Iterator[Frame]:
    """Yield chunks; each reports the tokens so far, the last one all of them."""
    (candidate,) = response["candidates"]
    steps = [step for part in candidate["content"]["parts"] for step in _steps(part)]
    usage: Json = response.get("usageMetadata", {})
    for position, step in enumerate(steps):
        if position == len(steps) - 1:
            last = {**response, "candidates": [_candidate([step], candidate["finishReason"])]}
            yield sse(last, has_usage=bool(usage))
            return
        so_far = {"promptTokenCount": usage.get("promptTokenCount"), "candidatesTokenCount": 1}
        reported = {"usageMetadata": so_far} if usage else {}
        yield sse({**response, "candidates": [_candidate([step])], **reported})


def _steps(part: Json) -> list[Json]:
    return [{**part, "text": chunk} for chunk in chunks(part["text"])] if "text" in part else [part]


def error_status(failure: Failure) -> bytes:
    """Return the body of an HTTP error."""
    status = failure.kind or failure.code or _STATUSES.get(failure.status, "UNKNOWN")
    error = {"code": failure.status, "message": failure.message, "status": status}
    return encode({"error": error})


def error_event(event: ErrorEvent, position: int) -> Frame:
    """Return the error event of a stream."""
    status = "INTERNAL" if event.code == "server_error" else event.code
    code = next((number for number, name in _STATUSES.items() if name == status), 500)
    return sse({"error": {"code": code, "message": event.message, "status": status}})
