"""Content: `POST …/models/NAME:generateContent`; `:streamGenerateContent` by server-sent events."""

from __future__ import annotations

import base64
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
    sse,
    stream_reply,
)
from otel_agents.testing.scripted_model.google.shapes import usage_metadata
from otel_agents.testing.scripted_model.reactions import DEFAULT_TEXT, ToolCall
from otel_agents.testing.scripted_model.values import (
    Json,
    json_list,
    json_object,
    json_objects,
    texts,
    whole,
)

_FINISH_REASONS = MappingProxyType(
    {
        "stop": "STOP",
        "tool_calls": "STOP",
        "length": "MAX_TOKENS",
        "content_filter": "SAFETY",
    }
)
_CANDIDATE_FIELDS = (
    "citationMetadata",
    "continuationToken",
    "finishMessage",
    "groundingMetadata",
    "urlContextMetadata",
)


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    contents = json_objects(body.get("contents"))
    last = json_objects(contents[-1].get("parts")) if contents else []
    contents_of_prompt = [json_object(body.get("systemInstruction")), *contents]
    parts = [part for content in contents_of_prompt for part in json_objects(content.get("parts"))]
    config = json_object(body.get("generationConfig"))
    return ParsedRequest(
        prompt="\n".join(text for part in parts for text in _texts(part)),
        tools=[
            Tool(str(function.get("name")), _schema(function, "parameters", "parametersJsonSchema"))
            for tool in json_objects(body.get("tools"))
            for function in json_objects(tool.get("functionDeclarations"))
        ],
        has_tool_result=any("functionResponse" in part for part in last),
        forced_tool=_forced(json_object(body.get("toolConfig"))),
        schema=_schema(config, "responseSchema", "responseJsonSchema") or None,
        choices=whole(config.get("candidateCount"), 1),
    )


def _texts(part: Json) -> list[str]:
    return texts(part.get("text") or json_object(part.get("functionResponse")).get("response"))


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
    """Return a response, or its chunks; one with a refusal says that the prompt was blocked."""
    scripted, usage = exchange.response, exchange.usage
    response_id = scripted.id or exchange.numbers.id("resp-")
    reported = usage if scripted.include_usage else None
    response: Json = {
        "candidates": _candidates(exchange),
        "modelVersion": scripted.model or exchange.request.model,
        "responseId": response_id,
        **({"usageMetadata": usage_metadata(usage)} if reported else {}),
        **scripted.extra,
    }
    if scripted.refusal is not None:
        blocked = {"blockReason": "PROHIBITED_CONTENT", "blockReasonMessage": scripted.refusal}
        response |= {"candidates": [], "promptFeedback": blocked}
    if exchange.request.stream:
        return stream_reply(exchange, _chunks(response), reported, response_id)
    return body_reply(exchange, response, reported, response_id)


def _candidates(exchange: Exchange) -> list[Json]:
    scripted = exchange.response
    reason = _FINISH_REASONS.get(scripted.reason, scripted.reason)
    fields = {
        name: value
        for item in scripted.items
        for name, value in item.items()
        if name in _CANDIDATE_FIELDS
    }
    count = scripted.choices or exchange.request.choices
    return [
        {**_candidate(_parts(exchange), index), **fields, "finishReason": reason}
        for index in range(count)
    ]


def _candidate(parts: list[Json], index: int) -> Json:
    return {"content": {"role": "model", "parts": parts}, "index": index}


def _parts(exchange: Exchange) -> list[Json]:
    scripted = exchange.response
    parts = [dict(item) for item in scripted.items if not any(n in item for n in _CANDIDATE_FIELDS)]
    if scripted.reasoning is not None:
        parts.insert(0, {"text": scripted.reasoning, "thought": True})
    grounded = scripted.items and not parts
    text = DEFAULT_TEXT if grounded and scripted.content is None else scripted.content
    if text is not None:
        parts.append({"text": text})
    parts += [_inline(image, "image/png") for image in scripted.images]
    parts += [_inline(scripted.audio, "audio/wav")] if scripted.audio is not None else []
    return [*parts, *(_function_call(exchange, call) for call in scripted.tool_calls)]


def _inline(data: bytes, mime_type: str) -> Json:
    return {"inlineData": {"mimeType": mime_type, "data": base64.b64encode(data).decode()}}


def _function_call(exchange: Exchange, call: ToolCall) -> Json:
    call_id = call.id or exchange.numbers.id("call-")
    return {"functionCall": {"id": call_id, "name": call.name, "args": call.arguments_value}}


def _chunks(response: Json) -> Iterator[Frame]:
    """Yield chunks; each reports the tokens so far, the last one all of them."""
    usage: Json = response.get("usageMetadata", {})
    steps = [
        (candidate, step)
        for candidate in response["candidates"]
        for step in _steps(candidate["content"]["parts"])
    ]
    for position, (candidate, step) in enumerate(steps):
        if position == len(steps) - 1:
            break
        so_far = {"promptTokenCount": usage.get("promptTokenCount"), "candidatesTokenCount": 1}
        reported = {"usageMetadata": so_far} if usage else {}
        is_last = steps[position + 1][0] is not candidate
        chunk = _chunk(candidate, step, whole=is_last)
        yield sse({**response, "candidates": [chunk], **reported})
    last = [_chunk(*steps[-1], whole=True)] if steps else []
    yield sse({**response, "candidates": last}, has_usage=bool(usage))


def _chunk(candidate: Json, part: Json, *, whole: bool) -> Json:
    """Return a candidate with one part; the last chunk of each has its other fields."""
    chunk = _candidate([part], candidate["index"])
    return {**candidate, **chunk} if whole else chunk


def _steps(parts: list[Json]) -> list[Json]:
    return [step for part in parts for step in _split(part)] or [{"text": ""}]


def _split(part: Json) -> list[Json]:
    return [{**part, "text": chunk} for chunk in chunks(part["text"])] if "text" in part else [part]
