"""Responses: `POST /responses`, whole, streamed or in the background; retrieve, cancel, compact."""

from __future__ import annotations

from dataclasses import dataclass, replace

from otel_agents.testing.scripted_model.dialect import (
    EVENT_STREAM,
    Exchange,
    Frame,
    ParsedRequest,
    Refused,
    Reply,
    body_reply,
    encode,
    sse,
)
from otel_agents.testing.scripted_model.openai.response_events import events
from otel_agents.testing.scripted_model.openai.response_items import output_items
from otel_agents.testing.scripted_model.openai.shapes import (
    forced_tool,
    function_tool,
    model_name,
    service_tier,
)
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, Usage
from otel_agents.testing.scripted_model.values import Json, json_object, json_objects, texts


@dataclass(frozen=True)
class _Stored:
    """A response that can be fetched: its final form, and how many fetches precede it."""

    response: Json
    usage: Usage | None
    fetches: int


def read(body: Json) -> ParsedRequest:
    """Parse a request."""
    items = json_objects(body.get("input"))
    kinds = ["user" if item.get("role") == "user" else item.get("type") for item in items]
    after_user = kinds[len(kinds) - kinds[::-1].index("user") :] if "user" in kinds else kinds
    form = json_object(json_object(body.get("text")).get("format"))
    prompt = [*texts(body.get("instructions"))]
    prompt += [text for item in items for text in texts(item.get("content") or item.get("output"))]
    if isinstance(body.get("input"), str):
        prompt.append(body["input"])
    declared = json_objects(body.get("tools"))
    return ParsedRequest(
        prompt="\n".join(prompt),
        tools=[function_tool(tool) for tool in declared if tool.get("type") == "function"],
        has_tool_result="function_call_output" in after_user,
        forced_tool=forced_tool(body.get("tool_choice")),
        schema={
            "json_schema": json_object(form.get("schema")),
            "json_object": {"type": "object"},
        }.get(str(form.get("type"))),
    )


def write(exchange: Exchange) -> Reply:
    """Return a response, its events or, in the background, a queued response."""
    body = exchange.request.body
    _known(exchange, body.get("previous_response_id"))
    response_id = exchange.response.id or exchange.numbers.id("resp_")
    usage = exchange.usage if exchange.response.include_usage else None
    response = _response(exchange, response_id, usage)
    stored = _Stored(response, usage, exchange.response.fetches)
    if body.get("store") is not False:
        exchange.memory.put(response_id, stored)
    background = body.get("background") is True
    if exchange.request.stream:
        frames = events(response, queued=background)
        reply = Reply(b"", frames, usage, response_id, EVENT_STREAM)
    elif background:
        reply = Reply(encode(_unfinished(response, "queued")), response_id=response_id)
    else:
        reply = Reply(encode(response), None, usage, response_id)
    return replace(reply, headers=exchange.response.headers)


def write_stored(exchange: Exchange) -> Reply:
    """Return a stored response: in progress as often as scripted, then complete."""
    response_id = exchange.request.parts["id"]
    stored = _known(exchange, response_id)
    if stored.fetches:
        exchange.memory.put(response_id, replace(stored, fetches=stored.fetches - 1))
        waiting = encode(_unfinished(stored.response, "in_progress"))
        return Reply(waiting, response_id=response_id)
    if exchange.request.stream:
        after = int(exchange.request.query.get("starting_after", "-1"))
        frames = events(stored.response, queued=True)[after + 1 :]
        return Reply(b"", frames, stored.usage, response_id, EVENT_STREAM)
    return Reply(encode(stored.response), None, stored.usage, response_id)


def write_cancelled(exchange: Exchange) -> Reply:
    """Cancel a background response: it has no output and reports no usage."""
    response_id = exchange.request.parts["id"]
    stored = _known(exchange, response_id)
    cancelled = _unfinished(stored.response, "cancelled")
    exchange.memory.put(response_id, _Stored(cancelled, None, 0))
    return Reply(encode(cancelled), response_id=response_id)


def write_deleted(exchange: Exchange) -> Reply:
    """Delete a response; the bill stays."""
    response_id = exchange.request.parts["id"]
    _known(exchange, response_id)
    return Reply(encode({"id": response_id, "object": "response", "deleted": True}))


def write_compacted(exchange: Exchange) -> Reply:
    """Return the user's messages, and one item that replaces the rest."""
    compacted_id = exchange.response.id or exchange.numbers.id("resp_")
    usage = exchange.usage if exchange.response.include_usage else None
    item = {
        "id": exchange.numbers.id("cmp_"),
        "type": "compaction",
        "encrypted_content": exchange.response.content,
    }
    payload: Json = {
        "id": compacted_id,
        "object": "response.compaction",
        "created_at": exchange.created,
        "output": [*_of_the_user(exchange.request.body.get("input")), item],
        "usage": _usage(usage) if usage else None,
    }
    return body_reply(exchange, payload, usage, compacted_id)


def _of_the_user(given: object) -> list[Json]:
    messages = (
        [{"role": "user", "content": given}] if isinstance(given, str) else json_objects(given)
    )
    return [
        {"id": f"msg_{n}", "type": "message", "status": "completed", **message}
        for n, message in enumerate(messages)
        if message.get("role") == "user"
    ]


def write_decided(exchange: Exchange) -> Reply:
    """Return the same answer to every question."""
    usage = exchange.usage if exchange.response.include_usage else None
    payload: Json = {
        "answers": [
            {"name": item.get("name"), "type": "predicate", "probability": 0.5}
            for item in json_objects(exchange.request.body.get("questions"))
        ],
        "model": model_name(exchange),
        "usage": _usage(usage) if usage else None,
    }
    # the API has no response id; the ledger needs one
    return body_reply(exchange, payload, usage, exchange.numbers.id("decision-"))


def event_error(event: ErrorEvent, position: int) -> Frame:
    """Return the error event of a stream."""
    payload = {
        "type": "error",
        "code": event.code,
        "message": event.message,
        "param": None,
        "sequence_number": position,
    }
    return sse(payload, name="error")


def _known(exchange: Exchange, response_id: str | None) -> _Stored:
    stored = exchange.memory.get(str(response_id))
    if isinstance(stored, _Stored):
        return stored
    if response_id is None:  # the request refers to none
        return _Stored({}, None, 0)
    previous = "id" not in exchange.request.parts
    message = (
        f"{'Previous response' if previous else 'Response'} with id '{response_id}' not found."
    )
    code, param = (
        ("previous_response_not_found", "previous_response_id") if previous else (None, "id")
    )
    status = 400 if previous else 404
    raise Refused(Failure(status, code, message, "invalid_request_error", param))


def _response(exchange: Exchange, response_id: str, usage: Usage | None) -> Json:
    scripted, body = exchange.response, exchange.request.body
    status, error, incomplete = _outcome(scripted.finish_reason)
    conversation = body.get("conversation")
    return {
        "id": response_id,
        "object": "response",
        "created_at": exchange.created,
        "status": status,
        "background": body.get("background") is True,
        "conversation": {"id": conversation} if isinstance(conversation, str) else conversation,
        "error": error,
        "incomplete_details": incomplete,
        "instructions": body.get("instructions"),
        "max_output_tokens": body.get("max_output_tokens"),
        "metadata": body.get("metadata") or {},
        "model": model_name(exchange),
        "output": output_items(exchange, status),
        "parallel_tool_calls": body.get("parallel_tool_calls", True),
        "previous_response_id": body.get("previous_response_id"),
        "prompt": body.get("prompt"),
        "reasoning": {"effort": None, "summary": None, **json_object(body.get("reasoning"))},
        "service_tier": service_tier(exchange),
        "store": body.get("store", True),
        "temperature": body.get("temperature", 1.0),
        "text": {"format": {"type": "text"}, **json_object(body.get("text"))},
        "tool_choice": body.get("tool_choice", "auto"),
        "tools": body.get("tools") or [],
        "top_p": body.get("top_p", 1.0),
        "truncation": body.get("truncation", "disabled"),
        "usage": _usage(usage) if usage else None,
        "user": body.get("user"),
        **scripted.extra,
    }


def _outcome(finish_reason: str | None) -> tuple[str, Json | None, Json | None]:
    """Return status, error and incomplete details."""
    if finish_reason == "error":
        return "failed", {"code": "server_error", "message": "The model failed."}, None
    if finish_reason == "length":
        return "incomplete", None, {"reason": "max_output_tokens"}
    if finish_reason == "content_filter":
        return "incomplete", None, {"reason": "content_filter"}
    return "completed", None, None


def _unfinished(response: Json, status: str) -> Json:
    return {**response, "status": status, "output": [], "usage": None, "error": None}


def _usage(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input_tokens,
        "input_tokens_details": {
            "cached_tokens": usage.cached_tokens,
            "cache_write_tokens": usage.cache_write_tokens,
        },
        "output_tokens": usage.output_tokens,
        "output_tokens_details": {"reasoning_tokens": usage.reasoning_tokens},
        "total_tokens": usage.total_tokens,
    }
