"""Where an application looks things up: data sources and memories."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, final, overload

from ._blocks import Block, Function, Server, applied, split

__all__ = [
    "MemoryBlock",
    "RetrievalBlock",
    "memory",
    "retrieval",
]


@final
class RetrievalBlock(Block):
    """A retrieval; see `otel_agents.api.retrieval`."""

    __slots__ = ()
    kind = "retrieval"

    def query(self, text: str) -> None:
        """Record the query. It is content."""
        self._record("retrieval_query", text)

    def documents(self, found: Sequence[Any]) -> None:
        """Record what was found: texts, or objects with an ``id`` and a ``score``. It is content."""
        self._record("retrieval_documents", found)


@final
class MemoryBlock(Block):
    """A memory operation; see `otel_agents.api.memory`."""

    __slots__ = ()
    kind = "memory"

    def query(self, text: str) -> None:
        """Record the query. It is content."""
        self._record("memory_query", text)

    def records(self, records: Sequence[Any]) -> None:
        """Record how many records were found or stored, and, as content, the records."""
        self._record("memory_records", records)


@overload
def retrieval(function: Function, /) -> Function: ...
@overload
def retrieval(
    data_source: str | None = None,
    /,
    *,
    provider: str | None = None,
    model: str | None = None,
    top_k: int | None = None,
    server: Server | None = None,
) -> RetrievalBlock: ...
def retrieval(
    given: Any = None,
    /,
    *,
    provider: str | None = None,
    model: str | None = None,
    top_k: int | None = None,
    server: Server | None = None,
) -> Any:
    """Record a search in a data source.

    The first text that a decorated function is given is the query, and what it returns are the
    documents; both are content.

    Example:
        >>> with retrieval("manuals", top_k=2) as search:
        ...     search.query("How far is the moon?")
        ...     search.documents([{"id": "moon.md", "score": 0.92}])

    Args:
        given: The data source; by default the name of the decorated function.
        provider: The service that has it.
        model: The embedding model.
        top_k: How many documents are requested.
        server: Host and port of the service.
    """
    name, function = split(given)
    block = RetrievalBlock(name, provider=provider, model=model, top_k=top_k, server=server)
    return applied(block, function)


@overload
def memory(function: Function, /) -> Function: ...
@overload
def memory(
    operation: Literal["search", "create", "update", "upsert", "delete"] = "search",
    /,
    *,
    store: str | None = None,
    provider: str | None = None,
    server: Server | None = None,
) -> MemoryBlock: ...
def memory(
    given: Any = "search",
    /,
    *,
    store: str | None = None,
    provider: str | None = None,
    server: Server | None = None,
) -> Any:
    """Record an operation of a memory.

    Of a decorated function that searches, the first text is the query, and what it returns are the
    records; of another, the first argument is one record or a list of them. All of it is content.

    Example:
        >>> @memory("create", store="preferences")
        ... def remember(fact: str) -> None: ...

    Args:
        given: What is done.
        store: The id of the memory.
        provider: The service that has it; None if it is in this process.
        server: Host and port of the service.
    """
    operation, function = (given, None) if isinstance(given, str) else ("search", given)
    block = MemoryBlock(operation=operation, store=store, provider=provider, server=server)
    return applied(block, function)
