"""Memory and knowledge: what a crew stores, and what it looks up."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.plain import plain
from otel_agents.instrumentors._core.operations import Memory, Retrieval
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, text, without_none
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

__all__ = ["query", "recall", "remember"]

_CONTENT_ARGUMENTS: Final = ("content", "contents", "value", "item")
"""The names by which methods take what is to be stored."""
_TEXT_FIELDS: Final = ("content", "context", "memory", "description", "task")
"""The fields that hold a record's text; early versions have the others."""


class _Search(Memory):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Count and keep the results; some memories return None where they find nothing."""
        _keep(self, value or ())


class _Save(Memory):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep the stored records, which early versions do not return."""
        if value:
            _keep(self, value)


def _keep(memory: Memory, found: Any) -> None:
    listed = list(cast("list[Any]", found)) if isinstance(found, (list, tuple)) else [found]
    memory.record(listed, _record)


class _Query(Retrieval):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the results."""
        if value:
            self.content.retrieval_documents = Items(value, _record)


def _record(found: Any) -> dict[str, Any]:
    """Return a record of a memory, or a document of a source: a text, a match, an item, a dict."""
    if isinstance(found, str):
        return {"content": found}
    record: Any = field(found, "record") or found
    content = next(filter(None, (text(record, name) for name in _TEXT_FIELDS)), None)
    if content is None:
        return {"content": plain(found)}
    known = {"content": content, "id": text(record, "id"), "score": field(found, "score")}
    return without_none({**known, "metadata": field(record, "metadata") or None})


def recall(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``Memory.recall(query, …)`` or its async form; in early versions ``search``."""
    memory = _Search(telemetry, Operation.SEARCH_MEMORY)
    if telemetry.gate.enabled:
        query = call.argument(0, "query")
        memory.content.memory_query = call.kwargs.get("task") if query is None else query
    return memory


def remember(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``Memory.remember(content, …)``, or the thread of ``remember_many(contents, …)``.

    In early versions ``save``.
    """
    memory = _Save(telemetry, Operation.CREATE_MEMORY)
    names = (name for name in _CONTENT_ARGUMENTS if name in call.kwargs)
    named = next((call.kwargs[name] for name in names), None)
    _keep(memory, call.args[0] if call.args else named)
    return memory


def query(telemetry: Telemetry, call: Call) -> Retrieval:
    """Start ``Knowledge.query(query, results_limit)`` or its async form."""
    retrieval = _Query(telemetry)
    limit = call.argument(1, "results_limit")
    if isinstance(limit, int):
        retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = limit
    if telemetry.gate.enabled:
        query: list[str] | str = call.argument(0, "query")
        retrieval.content.retrieval_query = query if isinstance(query, str) else " ".join(query)
    return retrieval
