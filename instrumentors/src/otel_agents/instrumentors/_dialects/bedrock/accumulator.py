"""Accumulates a ConverseStream into the response that Converse would have returned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import as_mapping, parsed_arguments, text

from .messages import output_messages

__all__ = ["Accumulator"]


class _Block:
    """One content block: what it started with, and lists of strings that are joined at the end."""

    __slots__ = ("citations", "image", "redacted", "result", "start", "texts", "thoughts")

    def __init__(self, start: Mapping[str, Any]) -> None:
        self.start = start
        self.texts: list[str] = []
        self.thoughts: list[str] = []
        self.citations: list[Any] = []
        self.result: list[Any] = []
        self.image: Any = None
        self.redacted = False

    def add(self, delta: Mapping[str, Any]) -> None:
        """Add a delta, which has one key."""
        for kind, value in delta.items():
            if kind == "text":
                self.texts.append(value)
            elif kind == "toolUse":
                self.texts.append(text(value, "input") or "")
            elif kind == "reasoningContent":
                self.thoughts.append(text(value, "text") or "")
                self.redacted = self.redacted or "redactedContent" in value
            elif kind == "citation":
                self.citations.append(value)
            elif kind == "toolResult":
                self.result += value
            elif kind == "image":
                self.image = value

    def whole(self) -> dict[str, Any]:
        """Return the block in the shape of a whole response."""
        joined = "".join(self.texts)
        if "toolUse" in self.start:
            arguments: Any = parsed_arguments(joined or "{}")
            return {"toolUse": {**self.start["toolUse"], "input": arguments}}
        if "toolResult" in self.start:
            return {"toolResult": {**self.start["toolResult"], "content": self.result}}
        if self.image is not None:
            return {"image": {**as_mapping(self.start.get("image")), **as_mapping(self.image)}}
        if self.thoughts or self.redacted:
            return {"reasoningContent": {"reasoningText": {"text": "".join(self.thoughts)}}}
        if self.citations:
            return {
                "citationsContent": {"content": [{"text": joined}], "citations": self.citations}
            }
        return {"text": joined}


class Accumulator:
    """Accumulates the events of a stream.

    Args:
        content: Whether to accumulate content blocks too; usage and reason always are.
    """

    def __init__(self, content: bool = True) -> None:
        self._content = content
        self._role: str | None = None
        self._response: dict[str, Any] = {}
        self._blocks: dict[int, _Block] = {}
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one event, a dict with one key."""
        for kind, event in chunk.items():  # a hot path: no check that costs more than the rest
            handle = _HANDLERS.get(kind)
            if handle is not None:
                handle(self, event)

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before its first event."""
        if self._role is None and not self._response:
            return None
        blocks = [block.whole() for _, block in sorted(self._blocks.items())]
        output = {"message": {"role": self._role or "assistant", "content": blocks}}
        return {"output": output, **self._response}

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return output_messages(self.response())

    def start_message(self, event: Mapping[str, Any]) -> None:
        """Handle ``messageStart``."""
        self._role = text(event, "role") or "assistant"

    def start_block(self, event: Mapping[str, Any]) -> None:
        """Handle ``contentBlockStart``, which text blocks do not have."""
        if self._content:
            index = event.get("contentBlockIndex") or 0
            self._blocks[index] = _Block(as_mapping(event.get("start")))

    def add_delta(self, event: Mapping[str, Any]) -> None:
        """Handle ``contentBlockDelta``."""
        if not self._content:
            return
        index = event.get("contentBlockIndex") or 0
        block = self._blocks.get(index)
        if block is None:
            block = self._blocks[index] = _Block({})
        block.add(event.get("delta") or {})

    def stop_message(self, event: Mapping[str, Any]) -> None:
        """Handle ``messageStop``."""
        self._response["stopReason"] = event.get("stopReason")

    def add_metadata(self, event: Mapping[str, Any]) -> None:
        """Handle ``metadata``, the last event; the caller gets it next, and may edit it."""
        self._response.update({name: {**as_mapping(value)} for name, value in event.items()})
        self.finished = True


_HANDLERS: Final[Mapping[str, Callable[[Accumulator, Any], None]]] = MappingProxyType(
    {
        "messageStart": Accumulator.start_message,
        "contentBlockStart": Accumulator.start_block,
        "contentBlockDelta": Accumulator.add_delta,
        "messageStop": Accumulator.stop_message,
        "metadata": Accumulator.add_metadata,
    }
)
