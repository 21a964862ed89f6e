"""Blocks of a memory: what an agent looks up before it calls a model, and what it stores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import Memory
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import listed
from otel_agents.semconv.values import Operation

from ._messages import model_message

if TYPE_CHECKING:
    from llama_index.core.memory import BaseMemoryBlock

__all__ = ["get", "put"]


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
