"""Accumulates a stream of messages, from its events or from their bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import (
    field,
    fields_of,
    items,
    parsed_arguments,
    text,
)

from .messages import output_messages
from .usage import counts_of

__all__ = ["Accumulator", "ServerSentEvents"]

_SEPARATOR: Final = b"\n\n"
_DATA: Final = b"data:"


class ServerSentEvents:
    """Parses server-sent events from the chunks of a response body.

    An incomplete event waits for the next chunk. An event that is not a JSON object is skipped.
    """

    def __init__(self) -> None:
        self._rest = b""

    def read(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Yield the events that ``chunk`` completes."""
        *complete, self._rest = (self._rest + chunk).replace(b"\r\n", b"\n").split(_SEPARATOR)
        for event in complete:
            lines = event.split(b"\n")
            data = b"\n".join(line[len(_DATA) :] for line in lines if line.startswith(_DATA))
            try:
                read: Any = json.loads(data)
            except ValueError:  # a ping without data, or a gateway's own comment
                continue
            if isinstance(read, dict):
                yield read


class Accumulator:
    """Accumulates a stream into the response that it would have been without streaming.

    Args:
        content: Whether to accumulate content blocks too; id, model and usage always are.

    Attributes:
        finished: Whether all arrived: only ``message_stop`` follows the stop reason.
    """

    def __init__(self, content: bool = True) -> None:
        self.finished = False
        self._content = content
        self._usage: dict[str, int] = {}
        self._identity: dict[str, str | None] | None = None
        self._stop_reason: str | None = None
        self._blocks: dict[int, _Block] = {}

    def add(self, chunk: Any) -> None:
        """Add one event."""
        fields = fields_of(chunk)
        kind = fields.get("type")
        if kind == "content_block_delta":  # nearly always
            block = self._blocks.get(fields.get("index") or 0)
            if block is not None:
                block.add(fields_of(fields.get("delta")))
            return
        handle = _HANDLERS.get(kind or "")
        if handle is not None:
            handle(self, fields)

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before ``message_start``."""
        if self._identity is None:
            return None
        return {
            **self._identity,
            "role": "assistant",
            "stop_reason": self._stop_reason,
            "usage": self._usage,
            "content": [block.joined() for _, block in sorted(self._blocks.items())],
        }

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return output_messages(self.response())

    def start_message(self, event: Any) -> None:
        """Handle ``message_start``, whose output tokens only fill a required field."""
        message = field(event, "message")
        self._identity = {name: text(message, name) for name in ("id", "model")}
        counts = counts_of(field(message, "usage"))
        self._usage.update({name: n for name, n in counts.items() if name != "output_tokens"})

    def update_message(self, event: Any) -> None:
        """Handle ``message_delta``; its token counts replace earlier ones."""
        self._stop_reason = text(field(event, "delta"), "stop_reason") or self._stop_reason
        self._usage.update(counts_of(field(event, "usage")))
        self.finished = self._stop_reason is not None

    def start_block(self, event: Any) -> None:
        """Handle ``content_block_start``."""
        if self._content:
            self._blocks[field(event, "index") or 0] = _Block(field(event, "content_block"))


class _Block:
    """A content block whose text, input or citations arrive in deltas."""

    __slots__ = ("_chunks", "_citations", "_fields")

    def __init__(self, start: Any) -> None:
        self._fields = dict(fields_of(start))  # a copy: SDK helpers add the deltas to the object
        self._citations = list(items(start, "citations"))
        self._chunks: list[str] = []

    def add(self, delta: Mapping[str, Any]) -> None:
        kind = delta.get("type") or ""
        chunk = delta.get(_DELTA_FIELDS.get(kind, ""))
        if chunk and isinstance(chunk, str):
            self._chunks.append(chunk)
        elif kind == "citations_delta":
            self._citations.append(delta.get("citation"))

    def joined(self) -> dict[str, Any]:
        fields, joined = self._fields, "".join(self._chunks)
        key = _JOINED.get(str(fields.get("type") or "text"))
        if key is not None:
            joined = (text(fields, key) or "") + joined
            return {**fields, key: joined, "citations": self._citations}
        return {**fields, "input": parsed_arguments(joined)} if joined else fields


_JOINED: Final = MappingProxyType({"text": "text", "thinking": "thinking", "compaction": "content"})
"""The field in which a block of a type has its text; others have the JSON of their input."""
_DELTA_FIELDS: Final = MappingProxyType(
    {
        "text_delta": "text",
        "thinking_delta": "thinking",
        "compaction_delta": "content",
        "input_json_delta": "partial_json",
    }
)
_HANDLERS: Final[Mapping[str, Callable[[Accumulator, Any], None]]] = MappingProxyType(
    {
        "message_start": Accumulator.start_message,
        "message_delta": Accumulator.update_message,
        "content_block_start": Accumulator.start_block,
    }
)
