"""What a candidate says of the tools that Google ran for it: searches, maps, URLs it read."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Part
from otel_agents.instrumentors._dialects.fields import without_none

from .parts import server_tool_call, server_tool_call_response
from .spellings import field, items, text

__all__ = ["grounding_parts"]

_SEARCHES: Final = (
    ("web_search_queries", "google_search"),
    ("image_search_queries", "google_image_search"),
    ("retrieval_queries", "retrieval"),
)
_SOURCES: Final = (
    ("web", "google_search"),
    ("image", "google_image_search"),
    ("retrieved_context", "retrieval"),
    ("maps", "google_maps"),
)
_URL_CONTEXT: Final = "url_context"


def grounding_parts(candidate: Any) -> list[Part]:
    """Return calls and results of the tools that ran before the model wrote its text."""
    grounding = field(candidate, "grounding_metadata")
    read = list(items(field(candidate, "url_context_metadata"), "url_metadata"))
    if grounding is None and not read:
        return []
    calls = [
        server_tool_call(name, {"queries": queries})
        for key, name in _SEARCHES
        if (queries := list(items(grounding, key)))
    ]
    found: dict[str, list[Any]] = {}
    for chunk in items(grounding, "grounding_chunks"):
        for key, name in _SOURCES:
            source = field(chunk, key)
            if source is not None:
                found.setdefault(name, []).append(_source(source))
    results = [server_tool_call_response(name, {"sources": some}) for name, some in found.items()]
    if read:
        results.append(
            server_tool_call_response(_URL_CONTEXT, {"urls": [_url(one) for one in read]})
        )
    return calls + results


def _source(source: Any) -> dict[str, Any]:
    uri = text(source, "uri") or text(source, "source_uri")
    return without_none({"uri": uri, "title": text(source, "title")})


def _url(read: Any) -> dict[str, Any]:
    status = text(read, "url_retrieval_status")
    return without_none({"uri": text(read, "retrieved_url"), "status": status and status.lower()})
