"""Memory and knowledge: what a crew remembers, and what it looks up."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls import Begin, Call, Running
from otel_agents.instrumentors._core.operations import Memory, Retrieval
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

__all__ = ["query", "recall", "remember"]


class _Counted(Memory):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Count the records; some memories have none by having no list."""
        self.attributes[attr.GEN_AI_MEMORY_RECORD_COUNT] = len(value or ())


def recall(telemetry: Telemetry) -> Begin:
    """``Memory.recall(query, …)`` and its asynchronous form; of early versions ``search``."""

    def begin(call: Call) -> Running | None:
        memory = _Counted(telemetry, Operation.SEARCH_MEMORY)
        if telemetry.gate.wanted:
            asked = call.args[0] if call.args else call.kwargs.get("query")
            memory.content.memory_query = call.kwargs.get("task") if asked is None else asked
        return memory

    return begin


def remember(telemetry: Telemetry) -> Begin:
    """``Memory.remember(content, …)``, and what ``remember_many(contents, …)`` has a thread do.

    Of early versions ``save``.
    """

    def begin(call: Call) -> Running | None:
        return Memory(telemetry, Operation.CREATE_MEMORY)

    return begin


def query(telemetry: Telemetry) -> Begin:
    """``Knowledge.query(query, results_limit)`` and its asynchronous form."""

    def begin(call: Call) -> Running | None:
        retrieval = Retrieval(telemetry)
        limit = call.args[1] if len(call.args) > 1 else call.kwargs.get("results_limit")
        if isinstance(limit, int):
            retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = limit
        if telemetry.gate.wanted:
            asked: Any = call.args[0] if call.args else call.kwargs.get("query")
            retrieval.content.retrieval_query = asked if isinstance(asked, str) else " ".join(asked)
        return retrieval

    return begin
