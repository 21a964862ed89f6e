"""The response of DSPy's own engine, in the conventions' terms."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._dialects.api import Message, Part, ResponseFields, Usage
from otel_agents.instrumentors._dialects.parts import (
    as_text,
    message,
    reasoning_part,
    text_part,
    tool_call,
)
from otel_agents.semconv import attributes as attr

if TYPE_CHECKING:
    from ._types import Response

__all__ = ["native_fields", "native_messages"]

_BREAKDOWN: Final = (
    ("cache_read_tokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("cache_write_tokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("reasoning_tokens", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
    ("input_audio_tokens", attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
    ("output_audio_tokens", attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
)
_WITHOUT_REASONING: Final = ("gemini", "vertex", "vertex-express", "xai")
"""The providers whose output tokens exclude those of reasoning."""


def native_fields(response: Response, provider: str | None) -> ResponseFields:
    """Return what a response reports; DSPy leaves the counts as the ``provider`` has them."""
    usage = response.usage
    found = {name: getattr(usage, field) for field, name in _BREAKDOWN}
    inputs, outputs = usage.input_tokens, usage.output_tokens
    if inputs is not None and provider is not None and "anthropic" in provider:
        inputs += (usage.cache_read_tokens or 0) + (usage.cache_write_tokens or 0)
    if outputs is not None and provider in _WITHOUT_REASONING:
        outputs += usage.reasoning_tokens or 0
    return ResponseFields(
        response_id=response.id,
        # Its streams of chat completions have neither: the model is then the request's.
        model=response.model if response.id is not None else None,
        finish_reasons=(response.finish_reason,),
        usage=Usage(inputs, outputs, {name: count for name, count in found.items() if count}),
    )


def native_messages(response: Response) -> list[Message]:
    """Return the response's message."""
    return [message("assistant", [_part(part) for part in response.message.parts])]


def _part(part: Any) -> Part:
    if part.type == "thinking":
        return reasoning_part(part.text)
    if part.type == "tool_call":
        return tool_call(part.id, part.name, part.input)
    value = part.value if part.type == "data" else getattr(part, "text", None)
    return text_part(as_text(value) if value is not None else f"[{part.type}]")
