"""Memory: what an agent is reminded of before it asks its model, and what is remembered."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.operations import Memory
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv.values import Operation

__all__ = ["added", "queried", "reminded"]

_MEMORY: Final[Slot[object]] = Slot("autogen-memory", object)
"""The memory that is at work."""


class _Search(Memory):
    """A search of one memory."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Count and keep what was found."""
        found = getattr(getattr(value, "memories", value), "results", None)
        if isinstance(found, list):
            self.record(cast("list[Any]", found), _record)


def _record(record: Any) -> dict[str, Any]:
    kept = {"content": _plain(record.content)}
    return {**kept, "metadata": record.metadata} if record.metadata else kept


def _plain(content: Any) -> Any:
    if isinstance(content, bytes):
        return media.placeholder(content)
    if hasattr(content, "to_base64"):
        return media.part_from_base64(content.to_base64(), "image/png", "image")
    return content


def reminded(telemetry: Telemetry, call: Call) -> Memory | None:
    """``Memory.update_context(model_context)``: what is found goes to the model."""
    return _begun(call, _Search, telemetry, Operation.SEARCH_MEMORY)


def queried(telemetry: Telemetry, call: Call) -> Memory | None:
    """``Memory.query(query, …)``."""
    search = _begun(call, _Search, telemetry, Operation.SEARCH_MEMORY)
    query: Any = call.argument(0, "query")
    if search is not None and telemetry.gate.enabled and query:
        text = query if isinstance(query, str) else _plain(query.content)
        search.content.memory_query = text if isinstance(text, str) else None
    return search


def added(telemetry: Telemetry, call: Call) -> Memory | None:
    """``Memory.add(content, …)``."""
    run = _begun(call, Memory, telemetry, Operation.CREATE_MEMORY)
    if run is not None:
        run.record([call.argument(0, "content")], _record)
    return run


def _begun(
    call: Call, kind: type[Memory], telemetry: Telemetry, operation: Operation
) -> Memory | None:
    """An operation of a memory, unless it is at work already: a method of its own calls this one."""
    if _MEMORY.get() is call.instance:
        return None
    run = kind(telemetry, operation)
    run.context = _MEMORY.set(call.instance, run.context)
    return run
