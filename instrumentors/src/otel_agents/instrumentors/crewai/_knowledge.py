"""Memory and knowledge: what a crew remembers, and what it looks up."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.operations import Memory, Retrieval
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from ._records import record

__all__ = ["query", "recall", "remember"]


_SAVED: Final = ("content", "contents", "value", "item")
"""What is to be remembered, by the name that a method gives it."""


class _Search(Memory):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Count and keep what was found; some memories find nothing by having no list."""
        _tell(self, value or ())


class _Save(Memory):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep what has become of it; early versions do not tell."""
        if value:
            _tell(self, value)


def _tell(memory: Memory, found: Any) -> None:
    listed = list(cast("list[Any]", found)) if isinstance(found, (list, tuple)) else [found]
    memory.keep(listed, record)


class _Query(Retrieval):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep what was found."""
        if self.telemetry.gate.wanted and value:
            listed = list(value)
            self.content.retrieval_documents = lambda: [record(one) for one in listed]


def recall(telemetry: Telemetry) -> Begin:
    """``Memory.recall(query, …)`` and its asynchronous form; of early versions ``search``."""

    def begin(call: Call) -> Running | None:
        memory = _Search(telemetry, Operation.SEARCH_MEMORY)
        if telemetry.gate.wanted:
            asked = call.argument(0, "query")
            memory.content.memory_query = call.kwargs.get("task") if asked is None else asked
        return memory

    return begin


def remember(telemetry: Telemetry) -> Begin:
    """``Memory.remember(content, …)``, and what ``remember_many(contents, …)`` has a thread do.

    Of early versions ``save``.
    """

    def begin(call: Call) -> Running | None:
        memory = _Save(telemetry, Operation.CREATE_MEMORY)
        named = next((call.kwargs[name] for name in _SAVED if name in call.kwargs), None)
        _tell(memory, call.args[0] if call.args else named)
        return memory

    return begin


def query(telemetry: Telemetry) -> Begin:
    """``Knowledge.query(query, results_limit)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        retrieval = _Query(telemetry)
        limit = call.argument(1, "results_limit")
        if isinstance(limit, int):
            retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = limit
        if telemetry.gate.wanted:
            asked: Any = call.argument(0, "query")
            retrieval.content.retrieval_query = asked if isinstance(asked, str) else " ".join(asked)
        return retrieval

    return begin
