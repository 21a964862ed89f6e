"""The long-term memory that graphs have: LangGraph's stores. Checkpoints are no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import Memory
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import listed
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

if TYPE_CHECKING:
    from langgraph.store.base import Item

__all__ = ["delete", "get", "put", "search"]


class _Search(Memory):
    """A look-up of one item, or a search for several."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Count and keep the items."""
        single = hasattr(value, "key")
        self.record([value] if single else listed(value), _record)


def _record(item: Item) -> dict[str, Any]:
    score = getattr(item, "score", None)
    record = {"id": item.key, "content": item.value}
    return record if score is None else {**record, "score": score}


def search(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.search(namespace, *, query, …)``."""
    operation = _Search(telemetry, Operation.SEARCH_MEMORY)
    operation.content.memory_query = call.kwargs.get("query")
    return operation


def get(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.get(namespace, key, …)``."""
    return _of_item(_Search(telemetry, Operation.SEARCH_MEMORY), call)


def put(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.put(namespace, key, value, …)``."""
    key, value = call.argument(1, "key"), call.argument(2, "value")
    operation = _of_item(Memory(telemetry, Operation.UPSERT_MEMORY), call)
    operation.record([value], lambda content: {"id": key, "content": content})
    return operation


def delete(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseStore.delete(namespace, key)``."""
    return _of_item(Memory(telemetry, Operation.DELETE_MEMORY), call)


def _of_item(operation: Memory, call: Call) -> Memory:
    """Set the id of the one item that a call is about; its namespace may name a person."""
    operation.attributes[attr.GEN_AI_MEMORY_RECORD_ID] = str(call.argument(1, "key"))
    return operation
