"""Queries of knowledge bases: the settings of a request, the documents of a response or an event."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_agents.instrumentors._dialects.fields import (
    Body,
    as_mapping,
    field,
    items,
    text,
    without_none,
)

__all__ = ["agent_query", "document", "documents_in_event", "documents_in_response", "top_k"]

_LOCATION_KEYS: Final = ("uri", "url", "id")


def agent_query(request: Body) -> tuple[Body, str | None]:
    """Return the retriever and the model of a query by an agent; no retriever if it has several."""
    retrievers = [
        as_mapping(field(field(retriever, "configuration"), "knowledgeBase"))
        for retriever in items(request, "retrievers")
    ]
    config = as_mapping(request.get("agenticRetrieveConfiguration"))
    models = as_mapping(config.get("foundationModelConfiguration")).values()
    settings = (as_mapping(as_mapping(model).get("modelConfiguration")) for model in models)
    model = next((arn for it in settings if (arn := text(it, "modelArn"))), None)
    return (retrievers[0] if len(retrievers) == 1 else {}), model


def top_k(queried: Body) -> int | None:
    """Return how many documents are requested."""
    search = field(queried.get("retrievalConfiguration"), "vectorSearchConfiguration")
    overrides = queried.get("retrievalOverrides")
    count = field(search, "numberOfResults") or field(overrides, "maxNumberOfResults")
    return count if isinstance(count, int) else None


def documents_in_response(response: Any) -> list[Any]:
    """Return the documents that a whole response has, or cites."""
    return [*items(response, "retrievalResults"), *_cited(items(response, "citations"))]


def documents_in_event(event: Any) -> list[Any]:
    """Return the documents that an event of a stream has, or cites."""
    citation = as_mapping(event.get("citation"))
    # `citation` is the first form of the event, which has the rest's fields in one more object.
    cited = _cited([citation, as_mapping(citation.get("citation"))])
    return [*items(event.get("result"), "results"), *cited]


def _cited(citations: Iterable[Any]) -> list[Any]:
    return [found for citation in citations for found in items(citation, "retrievedReferences")]


def document(found: Any) -> dict[str, Any]:
    """Return a document: where it is, how well it fits, what it says."""
    location = as_mapping(field(found, "location"))
    named = (text(where, key) for where in location.values() for key in _LOCATION_KEYS)
    return without_none(
        {
            "id": next(filter(None, named), None),
            "score": field(found, "score"),
            "content": text(field(found, "content"), "text"),
        }
    )
