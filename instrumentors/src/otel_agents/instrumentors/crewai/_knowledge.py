"""Memory and knowledge: what a crew remembers, and what it looks up."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.plain import plain
from otel_agents.instrumentors._core.operations import Memory, Retrieval
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import field, given, text
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

__all__ = ["query", "recall", "remember"]

_SAVED: Final = ("content", "contents", "value", "item")
"""What is to be remembered, by the name that a method gives it."""
_TEXTS: Final = ("content", "context", "memory", "description", "task")
"""Where the text of a record is; early versions have the others."""


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
    memory.record(listed, _record)


class _Query(Retrieval):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Keep what was found."""
        if value:
            self.content.retrieval_documents = Items(value, _record)


def _record(found: Any) -> dict[str, Any]:
    """A record of a memory or a document of a source: a text, a match, an item, a dict."""
    if isinstance(found, str):
        return {"content": found}
    held: Any = field(found, "record") or found
    content = next(filter(None, (text(held, name) for name in _TEXTS)), None)
    if content is None:
        return {"content": plain(found)}
    told = {"content": content, "id": text(held, "id"), "score": field(found, "score")}
    return given({**told, "metadata": field(held, "metadata") or None})


def recall(telemetry: Telemetry, call: Call) -> Memory:
    """``Memory.recall(query, …)`` and its asynchronous form; of early versions ``search``."""
    memory = _Search(telemetry, Operation.SEARCH_MEMORY)
    if telemetry.gate.enabled:
        asked = call.argument(0, "query")
        memory.content.memory_query = call.kwargs.get("task") if asked is None else asked
    return memory


def remember(telemetry: Telemetry, call: Call) -> Memory:
    """``Memory.remember(content, …)``, and what ``remember_many(contents, …)`` has a thread do.

    Of early versions ``save``.
    """
    memory = _Save(telemetry, Operation.CREATE_MEMORY)
    named = next((call.kwargs[name] for name in _SAVED if name in call.kwargs), None)
    _tell(memory, call.args[0] if call.args else named)
    return memory


def query(telemetry: Telemetry, call: Call) -> Retrieval:
    """``Knowledge.query(query, results_limit)`` and its asynchronous form."""
    retrieval = _Query(telemetry)
    limit = call.argument(1, "results_limit")
    if isinstance(limit, int):
        retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = limit
    if telemetry.gate.enabled:
        asked: Any = call.argument(0, "query")
        retrieval.content.retrieval_query = asked if isinstance(asked, str) else " ".join(asked)
    return retrieval
