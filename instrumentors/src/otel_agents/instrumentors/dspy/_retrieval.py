"""Retrievers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from itertools import repeat
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import Retrieval
from otel_agents.instrumentors._core.tables import Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import (
    as_mapping,
    as_number,
    listed,
    text,
    without_none,
)
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv import attributes as attr

__all__ = ["queued", "search", "searching"]

_SEARCHING: Final = Slot("dspy-retrieval", Retrieval)
_QUERIES: Final = ("query", "query_or_queries")
_TEXTS: Final = ("long_text", "text")
_IDS: Final = ("pid", "id")
_QUEUED: Final[Bounded[object, tuple[Any, Context]]] = Bounded(4096)
"""The queries that wait for the thread of ``Embeddings``, with their contexts, by their calls."""


class _Search(Retrieval):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the passages: a list, or a prediction that holds it."""
        if self.content.enabled:
            self.content.retrieval_documents = Items(list(_passages(value)), _document)


def _passages(value: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Yield each passage with its id and score, which only some retrievers return."""
    passages = listed(getattr(value, "passages", value))
    columns = (listed(getattr(value, name, None)) for name in ("indices", "scores"))
    ids, scores = (column if len(column) == len(passages) else repeat(None) for column in columns)
    yield from zip(passages, ids, scores, strict=False)


def _document(found: tuple[Any, Any, Any]) -> dict[str, Any]:
    passage, number, score = found
    fields = as_mapping(passage)
    content = _first(fields, _TEXTS)
    known = _first(fields, _IDS) if number is None else number
    document = {
        "id": str(known) if known is not None else None,
        "score": as_number(fields.get("score") if score is None else score, float),
        "content": content if content is not None else str(passage),
    }
    return without_none(document)


def _first(fields: Mapping[str, Any], names: tuple[str, ...]) -> Any:
    return next((found for name in names if (found := fields.get(name)) is not None), None)


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


def queued(telemetry: Telemetry, call: Call) -> Observation:
    """Observe ``Unbatchify.__call__(input_item)``, which waits for a thread of its own."""
    waiting = object()
    _QUEUED.put(waiting, (call.argument(0, "input_item"), get_current()))
    return Observation(ended=partial(_QUEUED.pop, waiting))


def searching(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for ``Embeddings._batch_forward(queries)``: of one of its queries.

    The thread takes what several others queued, and embeds it by one request. Queries of several
    calls may be the same object.
    """
    waiting = _QUEUED.values()
    taken = listed(call.argument(0, "queries"))
    found = (context for one in taken for query, context in waiting if query is one)
    return next(found, None)
