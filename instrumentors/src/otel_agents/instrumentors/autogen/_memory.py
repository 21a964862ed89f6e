"""Memory: what an agent is reminded of before it asks its model, and what is remembered."""

from __future__ import annotations

from typing import Any, Final, cast

from opentelemetry.context import create_key, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.operations import Memory
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv.values import Operation

__all__ = ["added", "asked", "reminded"]

_MEMORY: Final = create_key("otel_agents-autogen-memory")


class _Search(Memory):
    """A search of one memory, which may go by another of its methods."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, memory: Any) -> None:
        super().__init__(telemetry, Operation.SEARCH_MEMORY)
        self.context = set_value(_MEMORY, memory, self.context)

    def respond(self, value: Any) -> None:
        """Count and keep what was found."""
        found = getattr(getattr(value, "memories", value), "results", None)
        if isinstance(found, list):
            self.keep(cast("list[Any]", found), _record)


def _record(record: Any) -> dict[str, Any]:
    told = {"content": _plain(record.content)}
    return {**told, "metadata": record.metadata} if record.metadata else told


def _plain(content: Any) -> Any:
    if isinstance(content, bytes):
        return media.placeholder(content)
    if hasattr(content, "to_base64"):
        return media.part_from_base64(content.to_base64(), "image/png", "image")
    return content


def _within(call: Call) -> bool:
    """Whether the memory is at work already, and calls itself."""
    return get_value(_MEMORY) is call.instance


def reminded(telemetry: Telemetry) -> Begin:
    """``Memory.update_context(model_context)``: what is found goes to the model."""

    def begin(call: Call) -> Running | None:
        return None if _within(call) else _Search(telemetry, call.instance)

    return begin


def asked(telemetry: Telemetry) -> Begin:
    """``Memory.query(query, …)``."""

    def begin(call: Call) -> Running | None:
        if _within(call):
            return None
        search = _Search(telemetry, call.instance)
        query: Any = call.argument(0, "query")
        if telemetry.gate.wanted and query:
            text = query if isinstance(query, str) else _plain(query.content)
            search.content.memory_query = text if isinstance(text, str) else None
        return search

    return begin


def added(telemetry: Telemetry) -> Begin:
    """``Memory.add(content, …)``."""

    def begin(call: Call) -> Running | None:
        if _within(call):
            return None
        memory = Memory(telemetry, Operation.CREATE_MEMORY)
        memory.keep([call.argument(0, "content")], _record)
        memory.context = set_value(_MEMORY, call.instance, memory.context)
        return memory

    return begin
