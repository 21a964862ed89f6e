"""Embeddings: the request's attributes, and the tokens that a response reports."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._dialects.api import ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import Body, as_count
from otel_agents.semconv import attributes as attr

from .requests import setting_of
from .spellings import field, items
from .usage import usage_of

__all__ = ["embeddings_attributes", "embeddings_fields"]


def embeddings_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of embeddings."""
    dimensions = setting_of(body, "output_dimensionality")
    known = isinstance(dimensions, int)
    return {attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT: dimensions} if known else {}


def embeddings_fields(response: Any) -> ResponseFields:
    """Return the tokens of a response; older models of Vertex AI report them for each vector."""
    usage = usage_of(field(response, "usage_metadata"))
    if usage is not None:
        return ResponseFields(usage=usage)
    vectors = [*items(response, "embeddings")]
    vectors += [field(one, "embeddings") for one in items(response, "predictions")]
    counts = [field(field(vector, "statistics"), "token_count") for vector in vectors]
    known = [number for count in counts if (number := as_count(count)) is not None]
    return ResponseFields(usage=Usage(int(sum(known)), None, {}) if known else None)
