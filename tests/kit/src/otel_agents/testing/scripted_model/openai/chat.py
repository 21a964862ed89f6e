"""Chat completions: `POST /chat/completions`, whole and streamed."""

from __future__ import annotations

import base64
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
from otel_agents.testing.scripted_model.openai.shapes import (
    completion_usage,
    forced_tool,
    function_tool,
    model_name,
    service_tier,
)
from otel_agents.testing.scripted_model.reactions import ToolCall
from otel_agents.testing.scripted_model.values import (
    Json,
    json_list,
    json_object,
    json_objects,
    texts,
    whole,
)


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    messages = json_objects(body.get("messages"))
    roles = [message.get("role") for message in messages]
    after_user = roles[len(roles) - roles[::-1].index("user") :] if "user" in roles else roles
    declared = [json_object(tool.get("function")) for tool in json_objects(body.get("tools"))]
    declared += json_objects(body.get("functions"))
    response_format = json_object(body.get("response_format"))
    return ParsedRequest(
        prompt="\n".join(text for message in messages for text in texts(message.get("content"))),
        tools=[function_tool(tool) for tool in declared if tool],
        has_tool_result="tool" in after_user or "function" in after_user,
        forced_tool=forced_tool(body.get("tool_choice") or body.get("function_call")),
        schema=_schema(response_format),
        choices=whole(body.get("n"), 1),
    )


def _schema(response_format: Json) -> Json | None:
    if response_format.get("type") == "json_object":
        return {"type": "object"}
    if response_format.get("type") == "json_schema":
        return json_object(json_object(response_format.get("json_schema")).get("schema"))
    return None


def write(exchange: Exchange) -> Reply:
    """Return a chat completion, or its chunks."""
    scripted, request = exchange.response, exchange.request
    response_id = scripted.id or exchange.numbers.id("chatcmpl-")
    head: Json = {
        "id": response_id,
        "created": exchange.created,
        "model": model_name(exchange),
        "service_tier": service_tier(exchange),
        "system_fingerprint": scripted.system_fingerprint,
        **scripted.extra,
    }
    usage = exchange.usage if scripted.include_usage else None
    choices = range(scripted.choices or request.choices)
    calls = [_named(exchange, call) for call in scripted.tool_calls]
    if not request.stream:
        reported = {"usage": completion_usage(usage)} if usage else {}
        listed = [_choice(exchange, calls, index) for index in choices]
        payload = {**head, "object": "chat.completion", "choices": listed, **reported}
        return body_reply(exchange, payload, usage, response_id)
    head["object"] = "chat.completion.chunk"
    reports_usage = json_object(request.body.get("stream_options")).get("include_usage") is True
    no_usage: Json = {"usage": None} if reports_usage else {}
    frames = [_azure_opening()] if "model" in request.parts else []
    frames += [
        sse({**head, "choices": [chunk], **no_usage})
        for index in choices
        for chunk in _chunks(exchange, calls, index)
    ]
    if reports_usage and usage:
        last: Json = {**head, "choices": [], "usage": completion_usage(usage)}
        frames.append(sse(last, has_usage=True))
    frames.append(Frame(b"data: [DONE]\n\n"))
    return stream_reply(exchange, frames, usage if reports_usage else None, response_id)


def _azure_opening() -> Frame:
    """Return Azure's first chunk: the prompt's filter results, without id, model and choices."""
    safe = {"filtered": False, "severity": "safe"}
    filters = dict.fromkeys(("hate", "self_harm", "sexual", "violence"), safe)
    verdict = [{"prompt_index": 0, "content_filter_results": filters}]
    blank: Json = {"id": "", "object": "", "created": 0, "model": "", "choices": []}
    return sse({**blank, "prompt_filter_results": verdict})


def _named(exchange: Exchange, call: ToolCall) -> tuple[str, ToolCall]:
    return call.id or exchange.numbers.id("call_"), call


def _legacy_functions(exchange: Exchange) -> bool:
    """Return whether the request offers legacy `functions` instead of tools."""
    body = exchange.request.body
    return bool(json_list(body.get("functions"))) and not json_list(body.get("tools"))


def _finish_reason(exchange: Exchange) -> str:
    legacy = exchange.response.finish_reason is None and _legacy_functions(exchange)
    reason = exchange.response.reason
    return "function_call" if legacy and reason == "tool_calls" else reason


def _choice(exchange: Exchange, calls: list[tuple[str, ToolCall]], index: int) -> Json:
    scripted = exchange.response
    message: Json = {"role": "assistant", "content": scripted.content, "refusal": scripted.refusal}
    if scripted.reasoning is not None:  # as DeepSeek and others send it; OpenAI does not
        message["reasoning_content"] = scripted.reasoning
    if scripted.audio is not None:
        message["audio"] = _audio(exchange, scripted.audio)
        message["content"] = None
    if calls and _legacy_functions(exchange):
        message["function_call"] = _function(calls[0][1])
    elif calls:
        message["tool_calls"] = [
            {"id": call_id, "type": "function", "function": _function(call)}
            for call_id, call in calls
        ]
    return {
        "index": index,
        "message": message,
        "logprobs": None,
        "finish_reason": _finish_reason(exchange),
    }


def _audio(exchange: Exchange, audio: bytes) -> Json:
    return {
        "id": exchange.numbers.id("audio_"),
        "data": base64.b64encode(audio).decode(),
        "expires_at": exchange.created + 3600,
        "transcript": exchange.response.content,
    }


def _function(call: ToolCall) -> Json:
    return {"name": call.name, "arguments": call.arguments_text}


def _chunks(exchange: Exchange, calls: list[tuple[str, ToolCall]], index: int) -> list[Json]:
    deltas = _deltas(exchange, calls)
    finishes: list[str | None] = [None] * (len(deltas) - 1) + [_finish_reason(exchange)]
    return [
        {"index": index, "delta": delta, "logprobs": None, "finish_reason": finish}
        for delta, finish in zip(deltas, finishes, strict=True)
    ]


def _deltas(exchange: Exchange, calls: list[tuple[str, ToolCall]]) -> list[Json]:
    scripted = exchange.response
    text = scripted.content
    first: Json = {"role": "assistant", "content": None if text is None else "", "refusal": None}
    deltas = [first]
    deltas += [{"reasoning_content": chunk} for chunk in chunks(scripted.reasoning or "")]
    if scripted.audio is not None:
        deltas.append({"audio": _audio(exchange, scripted.audio)})
    else:
        deltas += [{"content": chunk} for chunk in chunks(text or "")]
    deltas += [{"refusal": chunk} for chunk in chunks(scripted.refusal or "")]
    if calls and _legacy_functions(exchange):
        deltas += [{"function_call": part} for part in _function_deltas(calls[0][1])]
    else:
        for position, (call_id, call) in enumerate(calls):
            deltas += _call_deltas(position, call_id, call)
    return [*deltas, {}]


def _function_deltas(call: ToolCall) -> list[dict[str, Any]]:
    """Return the name, then the arguments in fragments."""
    rest = [{"arguments": fragment} for fragment in fragments(call.arguments_text)]
    return [{"name": call.name, "arguments": ""}, *rest]


def _call_deltas(position: int, call_id: str, call: ToolCall) -> list[Json]:
    first, *rest = _function_deltas(call)
    opened = {"index": position, "id": call_id, "type": "function", "function": first}
    later = [{"index": position, "function": part} for part in rest]
    return [{"tool_calls": [part]} for part in (opened, *later)]
