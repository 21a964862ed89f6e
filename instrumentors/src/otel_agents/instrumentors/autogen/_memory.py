"""Memory: what an agent looks up before it calls its model, and what it stores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.operations import Memory
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv.values import Operation

if TYPE_CHECKING:
    from autogen_core.memory import MemoryContent, MemoryQueryResult, UpdateContextResult

__all__ = ["add", "query", "update_context"]

_MEMORY: Final[Slot[object]] = Slot("autogen-memory", object)
"""The memory whose method is running."""


class _Search(Memory):
    """A search of one memory."""

    __slots__ = ()

    def respond(self, value: MemoryQueryResult | UpdateContextResult) -> None:
        """Count and keep the results."""
        results = getattr(getattr(value, "memories", value), "results", None)
        if isinstance(results, list):
            self.record(cast("list[MemoryContent]", results), _record)


def _record(item: MemoryContent) -> dict[str, Any]:
    record = {"content": _plain(item.content)}
    return {**record, "metadata": item.metadata} if item.metadata else record


def _plain(content: Any) -> Any:
    if isinstance(content, bytes):
        return media.placeholder(content)
    if hasattr(content, "to_base64"):
        return media.part_from_base64(content.to_base64(), "image/png", "image")
    return content


def update_context(telemetry: Telemetry, call: Call) -> Memory | None:
    """Start ``Memory.update_context(model_context)``, which adds results to the model's input."""
    return _start(call, _Search, telemetry, Operation.SEARCH_MEMORY)


def query(telemetry: Telemetry, call: Call) -> Memory | None:
    """Start ``Memory.query(query, …)``."""
    search = _start(call, _Search, telemetry, Operation.SEARCH_MEMORY)
    query: str | MemoryContent | None = call.argument(0, "query")
    if search is not None and telemetry.gate.enabled and query:
        text = query if isinstance(query, str) else _plain(query.content)
        search.content.memory_query = text if isinstance(text, str) else None
    return search


def add(telemetry: Telemetry, call: Call) -> Memory | None:
    """Start ``Memory.add(content, …)``."""
    run = _start(call, Memory, telemetry, Operation.CREATE_MEMORY)
    if run is not None:
        run.record([call.argument(0, "content")], _record)
    return run


def _start(
    call: Call, kind: type[Memory], telemetry: Telemetry, operation: Operation
) -> Memory | None:
    """Start an operation; None where another method of the same memory made this call."""
    if _MEMORY.get() is call.instance:
        return None
    run = kind(telemetry, operation)
    run.context = _MEMORY.set(call.instance, run.context)
    return run
