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

if TYPE_CHECKING:
    from llama_index.core.memory import BaseMemoryBlock

__all__ = ["conversation_of", "get", "put"]

_STORE_KEY: Final = "chat_history"
"""The default key of a memory, which is the same for all conversations."""


def conversation_of(memory: Any, parent: Context | None = None) -> Context | None:
    """Return the context for the conversation that a memory holds; None to keep the current one."""
    found = getattr(memory, "session_id", None) or getattr(memory, "chat_store_key", None)
    if not isinstance(found, str) or found == _STORE_KEY or conversation_id(parent) is not None:
        return parent
    return with_conversation_id(found, get_current() if parent is None else parent)


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
