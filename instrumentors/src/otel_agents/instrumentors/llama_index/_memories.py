"""Memories: the conversation that one is of, and its blocks, which an agent searches."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import Memory
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import listed
from otel_agents.semconv.values import Operation

from ._messages import model_message
from ._work import is_a

if TYPE_CHECKING:
    from llama_index.core.memory import BaseMemoryBlock

__all__ = ["conversation_of", "get", "kept_memory", "put"]

_MEMORY: Final = "memory"
_STORE_KEY: Final = "chat_history"
"""The default key of a memory, which is the same for all conversations."""


def conversation_of(memory: Any, parent: Context | None = None) -> Context | None:
    """Return the context for the conversation that a memory holds; None to keep the current one."""
    found = getattr(memory, "session_id", None) or getattr(memory, "chat_store_key", None)
    if not isinstance(found, str) or found == _STORE_KEY or conversation_id(parent) is not None:
        return parent
    return with_conversation_id(found, get_current() if parent is None else parent)


def kept_memory(workflow: Any, context: Any) -> Any:
    """Return the memory in the state that a run continues with; None if it has none.

    Agents keep theirs there, so that it is in a serialized ``Context``. It is read of a state in
    this process only, which has it at once.
    """
    store = _store_of(workflow, context)
    if store is None or not is_a(store, "InMemoryStateStore"):
        return None
    reading = store.get(_MEMORY, None)
    try:
        reading.send(None)
    except StopIteration as read:
        return read.value
    reading.close()  # somebody else writes: it would have to wait
    return None


def _store_of(workflow: Any, context: Any) -> Any:
    if context is not None:
        return getattr(context, "_state_store", None)  # before 2.9; the property makes one
    runtime = getattr(workflow, "_runtime", None)
    adapter = getattr(runtime, "get_internal_adapter", None)
    return adapter(workflow).get_state_store() if adapter is not None else None


class _Search(Memory):
    """What one block has for the conversation."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the block's content: a text, or messages."""
        found: Sequence[Any] = listed(value) or ([value] if value else [])
        self.record(found, _record)


def _record(item: Any) -> dict[str, Any]:
    return {"content": model_message(item) if hasattr(item, "role") else item}


def get(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseMemoryBlock.aget(messages)``."""
    block: BaseMemoryBlock[Any] = call.instance
    return _Search(telemetry, Operation.SEARCH_MEMORY, store=block.name)


def put(telemetry: Telemetry, call: Call) -> Memory:
    """Start ``BaseMemoryBlock.aput(messages)``."""
    block: BaseMemoryBlock[Any] = call.instance
    memory = Memory(telemetry, Operation.CREATE_MEMORY, store=block.name)
    memory.record(listed(call.argument(0, "messages")), _record)
    return memory
