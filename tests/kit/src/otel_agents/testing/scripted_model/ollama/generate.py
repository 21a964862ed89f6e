"""Chat and completions: `POST /api/chat` and `POST /api/generate`, whole and streamed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from otel_agents.testing.scripted_model.chunks import chunks
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    ParsedRequest,
    Reply,
    body_reply,
    stream_reply,
)
from otel_agents.testing.scripted_model.ollama.shapes import counts, head, line, usage_of
from otel_agents.testing.scripted_model.openai import chat
from otel_agents.testing.scripted_model.values import Json, json_object, texts

_Fields = Callable[[str, str, list[Json]], Json]
"""Text, reasoning and tool calls as the fields of an object."""


def read_chat(body: Json) -> ParsedRequest:
    """Parse a chat; messages and tools are spelled as OpenAI's."""
    return replace(chat.read(body), schema=_schema(body), choices=1)


def read_prompt(body: Json) -> ParsedRequest:
    """Parse a completion."""
    prompt = "\n".join(texts([body.get("system"), body.get("prompt")]))
    return ParsedRequest(prompt=prompt, schema=_schema(body))


def _schema(body: Json) -> Json | None:
    requested = body.get("format")
    return {"type": "object"} if requested == "json" else json_object(requested) or None


def write_chat(exchange: Exchange) -> Reply:
    """Return a message, or its parts."""
    return _write(exchange, _message)


def write_completion(exchange: Exchange) -> Reply:
    """Return a text, or its parts."""
    return _write(exchange, _completion)


def _message(text: str, reasoning: str, calls: list[Json]) -> Json:
    message: Json = {"role": "assistant", "content": text}
    if reasoning:
        message["thinking"] = reasoning
    if calls:
        message["tool_calls"] = calls
    return {"message": message}


def _completion(text: str, reasoning: str, calls: list[Json]) -> Json:
    return {"response": text, **({"thinking": reasoning} if reasoning else {})}


def _write(exchange: Exchange, fields: _Fields) -> Reply:
    scripted, usage = exchange.response, usage_of(exchange)
    text, reasoning, calls = scripted.content or "", scripted.reasoning or "", _calls(exchange)
    known = {**head(exchange), **scripted.extra}
    reason = "stop" if scripted.reason == "tool_calls" else scripted.reason
    end: Json = {"done": True, "done_reason": reason, **counts(usage)}
    # the API has no response id; the ledger needs one
    response_id = scripted.id or exchange.numbers.id("ollama-")
    if not exchange.request.stream:
        return body_reply(
            exchange, {**known, **fields(text, reasoning, calls), **end}, usage, response_id
        )
    parts = [fields("", thought, []) for thought in chunks(reasoning)]
    parts += [fields(word, "", []) for word in chunks(text)]
    parts += [fields("", "", [call]) for call in calls]
    frames = [line({**known, **part, "done": False}) for part in parts]
    frames.append(line({**known, **fields("", "", []), **end}, has_usage=usage is not None))
    reply = stream_reply(exchange, frames, usage, response_id)
    return replace(reply, content_type="application/x-ndjson")


def _calls(exchange: Exchange) -> list[Json]:
    """Return the tool calls; their arguments are an object."""
    return [
        {
            "id": call.id or exchange.numbers.id("call_"),
            "function": {"index": index, "name": call.name, "arguments": call.arguments_value},
        }
        for index, call in enumerate(exchange.response.tool_calls)
    ]
