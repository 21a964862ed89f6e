"""The output items of a response: reasoning, messages, function calls and scripted ones."""

from __future__ import annotations

from otel_agents.testing.scripted_model.dialect import Exchange
from otel_agents.testing.scripted_model.reactions import ToolCall
from otel_agents.testing.scripted_model.values import Json


def output_items(exchange: Exchange, status: str) -> list[Json]:
    """Return the items in the provider's order; a failed response has none."""
    scripted = exchange.response
    if status == "failed":
        return []
    items: list[Json] = []
    if scripted.reasoning is not None:
        items.append(_reasoning(exchange, scripted.reasoning))
    items += [dict(item) for item in scripted.items]
    if scripted.refusal is not None:
        refused: Json = {"type": "refusal", "refusal": scripted.refusal}
        items.append(_message(exchange, refused, status))
    elif scripted.content is not None:
        text: Json = {
            "type": "output_text",
            "text": scripted.content,
            "annotations": [],
            "logprobs": [],
        }
        items.append(_message(exchange, text, status))
    items += [_call(exchange, call) for call in scripted.tool_calls]
    return items


def _reasoning(exchange: Exchange, text: str) -> Json:
    return {
        "id": exchange.numbers.id("rs_"),
        "type": "reasoning",
        "summary": [{"type": "summary_text", "text": text}],
    }


def _message(exchange: Exchange, part: Json, status: str) -> Json:
    return {
        "id": exchange.numbers.id("msg_"),
        "type": "message",
        "role": "assistant",
        "status": status,
        "content": [part],
    }


def _call(exchange: Exchange, call: ToolCall) -> Json:
    return {
        "id": exchange.numbers.id("fc_"),
        "type": "function_call",
        "call_id": call.id or exchange.numbers.id("call_"),
        "name": call.name,
        "arguments": call.arguments_text,
        "status": "completed",
    }
