"""Sources that a candidate quotes at length, with where in its text it does."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Part
from otel_agents.instrumentors._dialects.fields import plain, without_none

from .spellings import field, items

__all__ = ["cite", "quoted"]

_FIELDS: Final = ("start_index", "end_index", "uri", "title", "license", "publication_date")


def quoted(metadata: Any) -> list[dict[str, Any]]:
    """Return the citations in ``citation_metadata``; in the Gemini API's JSON they are sources."""
    found = [*items(metadata, "citations"), *items(metadata, "citation_sources")]
    return [without_none({name: plain(field(it, name)) for name in _FIELDS}) for it in found]


def cite(parts: list[Part], candidate: Any) -> list[Part]:
    """Add the citations of a candidate to its last text, since it does not name one of several."""
    citations = quoted(field(candidate, "citation_metadata"))
    last = next((part for part in reversed(parts) if part["type"] == "text"), None)
    if citations and last is not None:
        last["citations"] = citations
    return parts
