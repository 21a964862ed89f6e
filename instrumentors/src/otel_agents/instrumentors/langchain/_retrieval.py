"""Retrievers, and what ranks their documents again."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import Retrieval
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed
from otel_agents.semconv import attributes as attr

from ._names import given_name
from ._runs import RUNS

if TYPE_CHECKING:
    from langchain_core.documents import Document

__all__ = ["reranking", "retriever", "searching"]


class _Search(Retrieval):
    """One search for documents."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the documents."""
        if self.content.enabled:
            self.content.retrieval_documents = Items(listed(value), _document)


def _document(document: Document) -> dict[str, Any]:
    known = {"id": getattr(document, "id", None), "score": document.metadata.get("relevance_score")}
    return {
        **{name: value for name, value in known.items() if value is not None},
        "content": document.page_content,
    }


def retriever(telemetry: Telemetry, query: str, name: str | None) -> Callable[[Context], Retrieval]:
    """Return what starts a retriever; its name may be that of its class."""

    def begin(parent: Context) -> Retrieval:
        search = _Search(telemetry, data_source=given_name(name), parent=parent)
        search.content.retrieval_query = query
        return search

    return begin


def searching(telemetry: Telemetry, call: Call) -> Observation | None:
    """Run ``_get_relevant_documents(query, *, run_manager)`` in its run, and read its settings."""
    run = RUNS.find(getattr(call.kwargs.get("run_manager"), "run_id", None))
    if run is None:
        return None
    top_k = as_mapping(getattr(call.instance, "search_kwargs", None)).get("k")
    if run.operation is not None and isinstance(top_k, int):
        run.operation.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = top_k
    return Observation(run.context)


def reranking(telemetry: Telemetry, call: Call) -> Retrieval:
    """Start at ``BaseDocumentCompressor.compress_documents(documents, query, callbacks)``."""
    documents: Sequence[Document] | None = call.argument(0, "documents")
    search = _Search(telemetry, data_source=None)
    search.content.retrieval_query = call.argument(1, "query")
    top_k = getattr(call.instance, "top_n", None)
    if isinstance(top_k, int) and documents:
        search.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = top_k
    return search
