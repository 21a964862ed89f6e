"""What a block's methods record on the operation in progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.texts import text_of
from otel_agents.instrumentors._core.errors import guarded
from otel_agents.instrumentors._core.operations import Memory, Operation, Step

from .messages import document, memory_record, messages, sequence
from .models import OwnCall

__all__ = ["record"]


@guarded("recording what a block holds")
def record(observer: Any, what: str, *values: Any) -> None:
    """Record ``values`` by the row ``what``; nothing if the block was left, or is another's call."""
    if isinstance(observer, (Operation, OwnCall)):
        _RECORDS[what](observer, *values)


def _messages(field: str, role: str) -> Callable[[Any, Any], None]:
    def setting(operation: Operation, value: Any) -> None:
        operation.content.set(field, lambda: messages(role, value))

    return setting


def _content(field: str) -> Callable[[Any, Any], None]:
    def setting(operation: Operation, value: Any) -> None:
        operation.content.set(field, value)

    return setting


def _documents(operation: Operation, found: Any) -> None:
    operation.content.retrieval_documents = Items(sequence(found), document)


def _records(memory: Memory, records: Any) -> None:
    memory.record(sequence(records), memory_record)


def _outcome(step: Step, label: Any) -> None:
    step.set_outcome(text_of(label))


_RECORDS: Final[Mapping[str, Callable[..., None]]] = MappingProxyType(
    {
        "input_messages": _messages("input_messages", "user"),
        "output_messages": _messages("output_messages", "assistant"),
        "tool_arguments": _content("tool_arguments"),
        "tool_result": _content("tool_result"),
        "outcome": _outcome,
        "retrieval_query": _content("retrieval_query"),
        "retrieval_documents": _documents,
        "memory_query": _content("memory_query"),
        "memory_records": _records,
        "model_input": OwnCall.record_input,
        "model_output": OwnCall.record_output,
        "model_chunk": OwnCall.record_chunk,
        "model_usage": OwnCall.record_usage,
        "model_response": OwnCall.record_response,
    }
)
