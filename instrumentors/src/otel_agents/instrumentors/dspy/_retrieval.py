"""Retrievers."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import Retrieval
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed, text
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv import attributes as attr

__all__ = ["search"]

_SEARCHING: Final = Slot("dspy-retrieval", Retrieval)
_QUERIES: Final = ("query", "query_or_queries")
_TEXTS: Final = ("long_text", "text")


class _Search(Retrieval):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the passages: a list, or a prediction that holds it."""
        if self.content.enabled:
            passages = getattr(value, "passages", value)
            self.content.retrieval_documents = Items(listed(passages), _document)


def _document(passage: Any) -> dict[str, Any]:
    fields = as_mapping(passage)
    content = next((found for name in _TEXTS if (found := fields.get(name))), None)
    return {"content": content if content is not None else str(passage)}


def search(telemetry: Telemetry, call: Call) -> Retrieval | None:
    """Start at the call of a retriever; a model of retrieval that it calls is part of it."""
    running = _SEARCHING.get()
    if running is not None and not running.ended:
        return None
    url = text(call.instance, "url")
    retrieval = _Search(telemetry, server=server_of(url) if url else None)
    found = (call.argument(0, name) for name in _QUERIES)
    retrieval.content.retrieval_query = next((query for query in found if query), None)
    top_k = call.argument(1, "k") or getattr(call.instance, "k", None)
    if isinstance(top_k, int):
        retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = top_k
    retrieval.context = _SEARCHING.set(retrieval, retrieval.context)
    return retrieval
