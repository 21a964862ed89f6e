"""The models' own bodies: `POST /model/NAME/invoke`, and `/invoke-with-response-stream`."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from otel_agents.testing.scripted_model.anthropic import messages as anthropic
from otel_agents.testing.scripted_model.bedrock import converse
from otel_agents.testing.scripted_model.bedrock.event_stream import CONTENT_TYPE, event
from otel_agents.testing.scripted_model.chunks import chunks
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    encode,
)
from otel_agents.testing.scripted_model.openai import chat as openai
from otel_agents.testing.scripted_model.openai.embeddings import vector
from otel_agents.testing.scripted_model.reactions import ToolCall, Usage
from otel_agents.testing.scripted_model.values import (
    Json,
    json_list,
    json_objects,
    texts,
    whole,
)

_METRICS = "amazon-bedrock-invocationMetrics"
_CAPITALS = MappingProxyType({"stop": "COMPLETE", "length": "MAX_TOKENS"})
_DIMENSIONS = 64


def read(body: Json) -> ParsedRequest:
    """Parse a request: its shape shows whose it is."""
    if "anthropic_version" in body:
        return anthropic.read(body)
    if "inferenceConfig" in body or "schemaVersion" in body:
        return converse.read(body)
    if "messages" in body:
        return openai.read(body)
    names = ("prompt", "inputText", "message", "texts")
    return ParsedRequest(prompt="\n".join(text for name in names for text in texts(body.get(name))))


def write(exchange: Exchange) -> Reply:
    """Return a body with the token counts in headers, or chunks with the counts in the last."""
    scripted, numbers = exchange.response, exchange.numbers
    usage = exchange.usage if scripted.include_usage else None
    # A body's own id, if it has one, is the response's; else the request's id is the only one.
    request_id = scripted.id or numbers.id("")
    exchange = replace(exchange, response=replace(scripted, id=request_id))
    headers = {converse.REQUEST_ID: request_id, **scripted.headers}
    payloads = _payloads(exchange)
    if exchange.request.stream:
        frames = tuple(_frames(payloads, usage))
        return Reply(b"", frames, usage, request_id, CONTENT_TYPE, headers=headers)
    (body,) = payloads
    counted = _counts("X-Amzn-Bedrock-{}-Token-Count", usage) if usage else {}
    return Reply(
        encode({**body, **scripted.extra}), None, usage, request_id, headers={**counted, **headers}
    )


def _frames(payloads: Iterable[Json], usage: Usage | None) -> Iterator[Frame]:
    """Yield events with a payload each; the last one has the usage too, as for any model."""
    *earlier, last = payloads
    reported = False
    for payload in earlier:
        reports = "usage" in payload or "metadata" in payload
        yield _chunk(payload, has_usage=reports and not reported)
        reported = reported or reports
    if usage:
        counts = {name: int(count) for name, count in _counts("{}TokenCount", usage).items()}
        lower = {name[0].lower() + name[1:]: count for name, count in counts.items()}
        last = {**last, _METRICS: {**lower, "invocationLatency": 2, "firstByteLatency": 1}}
    yield _chunk(last, has_usage=usage is not None and not reported)


def _chunk(payload: Json, *, has_usage: bool) -> Frame:
    data = base64.b64encode(encode(payload)).decode()
    return event("chunk", {"bytes": data}, has_usage=has_usage)


def _counts(template: str, usage: Usage) -> dict[str, str]:
    """Return counts as headers or metrics name them: input tokens exclude cached ones."""
    cached, written = usage.cached_tokens, usage.cache_write_tokens
    separator = "-" if "-" in template else ""
    names = {
        "Input": usage.input_tokens - cached - written,
        "Output": usage.output_tokens,
        separator.join(("Cache", "Read", "Input")): cached,
        separator.join(("Cache", "Write", "Input")): written,
    }
    return {
        template.format(name): str(count)
        for name, count in names.items()
        if count or "Cache" not in name
    }


def _payloads(exchange: Exchange) -> list[Json]:
    """Return the chunks of a stream, or the body as the only one."""
    name = exchange.request.model
    return next(family for part, family in _FAMILIES if part in name)(exchange)


def _anthropic(exchange: Exchange) -> list[Json]:
    return _payloads_of(anthropic.write(exchange))


def _openai(exchange: Exchange) -> list[Json]:
    return [it for it in _payloads_of(openai.write(exchange)) if "prompt_filter_results" not in it]


def _nova(exchange: Exchange) -> list[Json]:
    reply = converse.write(exchange)
    if reply.frames is None:
        return [json.loads(reply.body)]
    return list(converse.payloads(exchange))


def _payloads_of(reply: Reply) -> list[Json]:
    """Return the JSON of a body, or of its server-sent events."""
    if reply.frames is None:
        return [json.loads(reply.body)]
    lines = [line for frame in reply.frames for line in frame.data.decode().splitlines()]
    data = [line.removeprefix("data: ") for line in lines if line.startswith("data: {")]
    return [json.loads(line) for line in data]


def _mistral(exchange: Exchange) -> list[Json]:
    """Return a completion, or the chat of Mistral's first models, which has names of its own."""
    if "messages" not in exchange.request.body:
        return _completion(exchange, "outputs", "stop_reason", {})
    renamed: list[Json] = []
    for payload in _openai(exchange):
        for choice in json_objects(payload.get("choices")):
            message = choice.get("message") or choice.get("delta")
            renamed_choice = {"index": 0, "message": message}
            renamed.append(
                {"choices": [{**renamed_choice, "stop_reason": choice["finish_reason"]}]}
            )
    return renamed


def _texts_of(exchange: Exchange) -> list[tuple[str, str | None]]:
    """Return the text of each payload, and the reason in the last one."""
    scripted = exchange.response
    content = scripted.content or ""
    parts = (chunks(content) if exchange.request.stream else []) or [content]
    return [*((part, None) for part in parts[:-1]), (parts[-1], scripted.reason)]


def _completion(exchange: Exchange, listed: str, reason: str, usage: Json) -> list[Json]:
    return [
        {listed: [{"text": text, reason: ended}], **usage} for text, ended in _texts_of(exchange)
    ]


def _titan(exchange: Exchange) -> list[Json]:
    usage = exchange.usage
    counted = {"inputTextTokenCount": usage.input_tokens}
    if not exchange.request.stream:
        ((text, _),) = _texts_of(exchange)
        ended = "FINISH" if exchange.response.reason == "stop" else "LENGTH"
        result = {"tokenCount": usage.output_tokens, "outputText": text, "completionReason": ended}
        return [{**counted, "results": [result]}]
    return [
        {
            "outputText": text,
            "index": 0,
            "totalOutputTextTokenCount": usage.output_tokens if ended else None,
            "completionReason": "FINISH" if ended else None,
            "inputTextTokenCount": None if ended is None else usage.input_tokens,
        }
        for text, ended in _texts_of(exchange)
    ]


def _llama(exchange: Exchange) -> list[Json]:
    usage, texts_ = exchange.usage, _texts_of(exchange)
    return [
        {
            "generation": text,
            "prompt_token_count": None if index else usage.input_tokens,
            "generation_token_count": usage.output_tokens if ended else index + 1,
            "stop_reason": ended,
        }
        for index, (text, ended) in enumerate(texts_)
    ]


def _command(exchange: Exchange) -> list[Json]:
    ended = _CAPITALS.get(exchange.response.reason, "ERROR")
    if exchange.request.stream:
        return [
            {"text": text, "is_finished": bool(last), "finish_reason": ended if last else None}
            for text, last in _texts_of(exchange)
        ]
    generation = {"id": exchange.response.id, "text": exchange.response.content}
    return [{"id": exchange.response.id, "generations": [{**generation, "finish_reason": ended}]}]


def _command_r(exchange: Exchange) -> list[Json]:
    scripted = exchange.response
    calls = [_parameters(call) for call in scripted.tool_calls]
    response: Json = {
        "response_id": scripted.id,
        "generation_id": exchange.numbers.id(""),
        "text": scripted.content or "",
        "finish_reason": _CAPITALS.get(scripted.reason, "COMPLETE"),
        **({"tool_calls": calls} if calls else {}),
    }
    if not exchange.request.stream:
        return [response]
    written = [part for part, _ in _texts_of(exchange) if part]
    end = {"event_type": "stream-end", "is_finished": True, "response": response}
    return [
        *({"event_type": "text-generation", "text": part} for part in written),
        {**end, "finish_reason": response["finish_reason"]},
    ]


def _parameters(call: ToolCall) -> Json:
    return {"name": call.name, "parameters": call.arguments_value}


def _jurassic(exchange: Exchange) -> list[Json]:
    completion = {
        "data": {"text": exchange.response.content},
        "finishReason": {"reason": "endoftext"},
    }
    return [{"id": exchange.response.id, "completions": [completion]}]


def _deepseek(exchange: Exchange) -> list[Json]:
    if "messages" in exchange.request.body:
        return _openai(exchange)
    return _completion(exchange, "choices", "stop_reason", {})


def _images(exchange: Exchange) -> list[Json]:
    return [{"images": [base64.b64encode(it).decode() for it in exchange.response.images]}]


def _unknown(exchange: Exchange) -> list[Json]:
    """Return the payloads of a model behind an ARN, whose body shows whose it is; or others."""
    body = exchange.request.body
    if "anthropic_version" in body:
        return _anthropic(exchange)
    if "schemaVersion" in body:
        return _nova(exchange)
    if "prompt" in body:
        return _mistral(exchange)
    return [{"reply": part} for part, _ in _texts_of(exchange)]


_FAMILIES: tuple[tuple[str, Callable[[Exchange], list[Json]]], ...] = (
    ("anthropic.", _anthropic),
    ("image-generator", _images),
    ("nova-canvas", _images),
    ("stability.", _images),
    ("amazon.nova", _nova),
    ("amazon.titan", _titan),
    ("meta.llama", _llama),
    ("cohere.command-r", _command_r),
    ("cohere.command", _command),
    ("ai21.j2", _jurassic),
    ("ai21.", _openai),
    ("mistral.", _mistral),
    ("deepseek.", _deepseek),
    ("openai.", _openai),
    ("", _unknown),
)
"""Part of a model's name, and what writes its payloads. The first that fits is taken."""


def write_embeddings(exchange: Exchange) -> Reply:
    """Return vectors; Cohere's body has no token count, which is in a header for all models."""
    body = exchange.request.body
    issued = replace(exchange.usage, output_tokens=0, reasoning_tokens=0, cached_tokens=0)
    request_id = exchange.numbers.id("")
    headers = {converse.REQUEST_ID: request_id, **exchange.response.headers}
    headers |= {"X-Amzn-Bedrock-Input-Token-Count": str(issued.input_tokens)}
    size = whole(body.get("dimensions") or body.get("output_dimension"), _DIMENSIONS)
    payload: dict[str, Any]
    if "texts" in body:
        listed = [vector(text, size) for text in texts(json_list(body["texts"]))]
        payload = {"id": request_id, "embeddings": listed, "response_type": "embeddings_floats"}
    else:
        embedded = vector(str(body.get("inputText")), size)
        payload = {"embedding": embedded, "inputTextTokenCount": issued.input_tokens}
    return Reply(encode(payload), None, issued, request_id, headers=headers)
