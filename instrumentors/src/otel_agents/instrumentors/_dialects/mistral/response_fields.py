"""What Mistral's responses report of themselves: id, model, finish reasons, usage."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._dialects.api import ResponseFields
from otel_agents.instrumentors._dialects.fields import field, fields_of, text
from otel_agents.instrumentors._dialects.openai.chat import choice_finish_reasons

from .usage import usage_of

__all__ = ["embeddings_fields", "response_fields"]


def response_fields(response: Any) -> ResponseFields:
    """Read a response of any API but conversations."""
    fields = fields_of(response)
    response_id, model = fields.get("id"), fields.get("model")
    return ResponseFields(
        response_id if isinstance(response_id, str) and response_id else None,
        model if isinstance(model, str) and model else None,
        choice_finish_reasons(response),
        usage_of(fields.get("usage")),
    )


def embeddings_fields(response: Any) -> ResponseFields:
    """Read a response with embeddings."""
    return ResponseFields(model=text(response, "model"), usage=usage_of(field(response, "usage")))
