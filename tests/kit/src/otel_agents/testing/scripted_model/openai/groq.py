"""Groq: OpenAI's chat completions with ``x_groq``, times, reasoning and the tools that Groq ran."""

from __future__ import annotations

import json
from dataclasses import replace
from types import MappingProxyType

from otel_agents.testing.scripted_model.dialect import Exchange, Frame, Reply, encode, sse
from otel_agents.testing.scripted_model.openai import chat
from otel_agents.testing.scripted_model.openai.shapes import completion_usage
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, Usage
from otel_agents.testing.scripted_model.values import Json, json_object

_TIMES = MappingProxyType(
    {"queue_time": 0.02, "prompt_time": 0.01, "completion_time": 0.03, "total_time": 0.04}
)
_UNKNOWN = ("refusal", "audio")


def write_chat(exchange: Exchange) -> Reply:
    """Return a chat completion, or its chunks; the last one of a stream always reports usage."""
    reply = chat.write(exchange)
    if reply.frames is None:
        return replace(reply, body=encode(_completion(exchange, json.loads(reply.body))))
    usage = exchange.usage if exchange.response.include_usage else None
    done, *reversed_frames = reply.frames[::-1]
    chunks = [json.loads(frame.data[6:]) for frame in reversed_frames[::-1]]
    return replace(reply, frames=(*_frames(exchange, chunks, usage), done), usage=usage)


def _completion(exchange: Exchange, payload: Json) -> Json:
    if "usage" in payload:
        payload["usage"] |= _TIMES
    for choice in payload["choices"]:
        _rename(choice["message"])
        choice["message"] |= {name: found for name, found in _items(exchange).items() if found}
    return {"x_groq": {"id": exchange.numbers.id("req_")}, **payload, **_tier(exchange)}


def _frames(exchange: Exchange, chunks: list[Json], usage: Usage | None) -> list[Frame]:
    request_id = exchange.numbers.id("req_")
    first, *others = [chunk for chunk in chunks if chunk["choices"]]
    after = [chunk for chunk in chunks if not chunk["choices"]]
    for chunk in (first, *others):
        chunk |= _tier(exchange)
        _rename(chunk["choices"][0]["delta"])
    first["x_groq"] = {"id": request_id}
    last = others[-1]
    known = {"id": request_id, **json_object(exchange.response.extra.get("x_groq"))}
    if usage:
        known["usage"] = {**completion_usage(usage), **_TIMES}
    last["x_groq"] = known
    alike = {**first, "x_groq": None}
    ran, cited = [
        [{**alike, "choices": [choice]} for choice in some] for some in _added_choices(exchange)
    ]
    sent = [first, *ran, *others[:-1], *cited, last]
    return [sse(chunk, has_usage=bool(usage) and chunk is last) for chunk in sent] + [
        sse({**chunk, "usage": {**chunk["usage"], **_TIMES}}) for chunk in after
    ]


def _items(exchange: Exchange) -> dict[str, list[Json]]:
    """Return the scripted items: citations are annotations, others are tools that Groq ran."""
    listed = [dict(item) for item in exchange.response.items]
    cites = [str(item.get("type")).endswith("_citation") for item in listed]
    return {
        "executed_tools": [item for item, is_it in zip(listed, cites, strict=True) if not is_it],
        "annotations": [item for item, is_it in zip(listed, cites, strict=True) if is_it],
    }


def _added_choices(exchange: Exchange) -> tuple[list[Json], list[Json]]:
    """Return two choices for each tool, its call and its result, and one for the annotations."""
    found = _items(exchange)
    ran: list[Json] = []
    for tool in found["executed_tools"]:
        called = {name: tool[name] for name in ("index", "type", "arguments") if name in tool}
        ran += [{"executed_tools": [called]}, {"executed_tools": [tool]}]
    cited: list[Json] = [{"annotations": found["annotations"]}] if found["annotations"] else []
    return _choices(ran), _choices(cited)


def _choices(deltas: list[Json]) -> list[Json]:
    return [{"index": 0, "delta": delta, "finish_reason": None} for delta in deltas]


def _rename(sent: Json) -> None:
    """Spell a message or a delta as Groq does, in place."""
    for name in _UNKNOWN:
        sent.pop(name, None)
    if "reasoning_content" in sent:
        sent["reasoning"] = sent.pop("reasoning_content")


def _tier(exchange: Exchange) -> Json:
    requested = exchange.request.body.get("service_tier")
    tier = exchange.response.service_tier or requested
    return {"service_tier": "on_demand" if tier in (None, "auto") else tier}


def error_status(failure: Failure) -> bytes:
    """Return the body of an HTTP error."""
    default = "internal_server_error" if failure.status >= 500 else "invalid_request_error"
    error = {"message": failure.message, "type": failure.kind or default, "code": failure.code}
    return json.dumps({"error": {k: v for k, v in error.items() if v is not None}}).encode()


def error_event(event: ErrorEvent, position: int) -> Frame:
    """Return the error event of a stream."""
    error = {"message": event.message, "type": "internal_server_error", "code": event.code}
    return sse({"error": error}, name="error")
