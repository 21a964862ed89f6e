"""Token usage of OpenAI's APIs: totals, and the breakdowns that are not zero."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import as_count, field, text
from otel_agents.semconv import attributes as attr

__all__ = ["embeddings_fields", "usage_of"]


_TOTALS: Final = (("prompt_tokens", "input_tokens"), ("completion_tokens", "output_tokens"))
_DETAILS: Final = (
    (
        ("prompt_tokens_details", "input_tokens_details", "input_token_details"),
        (
            ("cached_tokens", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
            ("cache_write_tokens", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
            ("text_tokens", attr.GEN_AI_USAGE_TEXT_INPUT_TOKENS),
            ("image_tokens", attr.GEN_AI_USAGE_IMAGE_INPUT_TOKENS),
            ("audio_tokens", attr.GEN_AI_USAGE_AUDIO_INPUT_TOKENS),
        ),
    ),
    (
        ("completion_tokens_details", "output_tokens_details", "output_token_details"),
        (
            ("reasoning_tokens", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
            ("text_tokens", attr.GEN_AI_USAGE_TEXT_OUTPUT_TOKENS),
            ("image_tokens", attr.GEN_AI_USAGE_IMAGE_OUTPUT_TOKENS),
            ("audio_tokens", attr.GEN_AI_USAGE_AUDIO_OUTPUT_TOKENS),
        ),
    ),
)


def usage_of(usage: object) -> Usage | None:
    """Return the usage of a response of any of the APIs; None if there is none."""
    if usage is None:
        return None
    totals = [as_count(field(usage, old)) for old, _ in _TOTALS]
    if totals == [None, None]:
        totals = [as_count(field(usage, new)) for _, new in _TOTALS]
    breakdown: dict[str, int] = {}
    for names, rows in _DETAILS:
        details = _first(usage, names)
        for key, name in rows if details is not None else ():
            tokens = as_count(field(details, key))
            if tokens:
                breakdown[name] = tokens
    return Usage(totals[0], totals[1], breakdown)


def embeddings_fields(response: Any) -> ResponseFields:
    """Return what a response with embeddings reports of itself."""
    return ResponseFields(model=text(response, "model"), usage=usage_of(field(response, "usage")))


def _first(usage: object, names: tuple[str, ...]) -> Any:
    for name in names:
        details = field(usage, name)
        if details is not None:
            return details
    return None
