"""Shapes that Mistral's endpoints share: usage, content, errors."""

from __future__ import annotations

from otel_agents.testing.scripted_model.dialect import Exchange, Frame, encode, sse
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, ToolCall, Usage
from otel_agents.testing.scripted_model.values import Json


def model_name(exchange: Exchange) -> str:
    """Return the scripted model, else the requested one, else that of an agent."""
    return exchange.response.model or exchange.request.model or "mistral-medium-2508"


def usage_of(usage: Usage) -> Json:
    """Return usage as all APIs but conversations report it."""
    counts: Json = {
        "prompt_tokens": usage.input_tokens,
        "completion_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }
    if usage.cached_tokens:
        counts["prompt_tokens_details"] = {"cached_tokens": usage.cached_tokens}
    return counts


def text_chunk(text: str) -> Json:
    """Return a chunk of text."""
    return {"type": "text", "text": text}


def thinking_chunk(text: str) -> Json:
    """Return a chunk of reasoning."""
    return {"type": "thinking", "thinking": [text_chunk(text)]}


def content_of(exchange: Exchange) -> str | list[Json]:
    """Return the content of a message: text, or chunks if it has reasoning or scripted items."""
    scripted = exchange.response
    text = scripted.content or ""
    if scripted.reasoning is None and not scripted.items:
        return text
    thoughts = [thinking_chunk(scripted.reasoning)] if scripted.reasoning is not None else []
    return [*thoughts, text_chunk(text), *map(dict, scripted.items)]


def function_call(exchange: Exchange, call: ToolCall, index: int) -> Json:
    """Return a call of a function in a chat."""
    return {
        "id": call.id or exchange.numbers.id("call"),
        "type": "function",
        "function": {"name": call.name, "arguments": call.arguments_text},
        "index": index,
    }


def error_status(failure: Failure) -> bytes:
    """Return the body of an HTTP error."""
    default = "internal_server_error" if failure.status >= 500 else "invalid_request_error"
    return encode(
        {
            "object": "error",
            "message": failure.message,
            "type": failure.kind or default,
            "param": failure.param,
            "code": failure.code,
        }
    )


def error_event(event: ErrorEvent, position: int) -> Frame:
    """Return the error event of a stream of conversations; the others have none."""
    return sse(
        {"type": "conversation.response.error", "message": event.message, "code": 3000},
        name="conversation.response.error",
    )
