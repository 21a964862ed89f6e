"""Accumulates an Anthropic stream, from its events or from their bytes."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import field, parsed_arguments, text

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
    """

    def __init__(self, content: bool = True) -> None:
        self._content = content
        self._usage: dict[str, int] = {}
        self._message: Any = None
        self._stop_reason: str | None = None
        self._blocks: dict[int, tuple[Any, list[str]]] = {}

    def add(self, chunk: Any) -> None:
        """Add one event."""
        handle = _HANDLERS.get(text(chunk, "type") or "")
        if handle is not None:
            handle(self, chunk)

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before ``message_start``."""
        if self._message is None:
            return None
        return {
            "id": text(self._message, "id"),
            "model": text(self._message, "model"),
            "role": "assistant",
            "stop_reason": self._stop_reason,
            "usage": self._usage,
            "content": [_joined_block(*block) for _, block in sorted(self._blocks.items())],
        }

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return output_messages(self.response())

    def start_message(self, event: Any) -> None:
        """Handle ``message_start``."""
        self._message = field(event, "message")
        self._usage.update(counts_of(field(self._message, "usage")))

    def update_message(self, event: Any) -> None:
        """Handle ``message_delta``; its token counts replace earlier ones."""
        self._stop_reason = text(field(event, "delta"), "stop_reason") or self._stop_reason
        self._usage.update(counts_of(field(event, "usage")))

    def start_block(self, event: Any) -> None:
        """Handle ``content_block_start``."""
        if self._content:
            self._blocks[field(event, "index") or 0] = (field(event, "content_block"), [])

    def add_delta(self, event: Any) -> None:
        """Handle ``content_block_delta``."""
        block = self._blocks.get(field(event, "index") or 0)
        delta = field(event, "delta")
        chunk = text(delta, _DELTA_FIELDS.get(text(delta, "type") or "", ""))
        if block is not None and chunk:
            block[1].append(chunk)


_DELTA_FIELDS: Final = MappingProxyType(
    {
        "text_delta": "text",
        "thinking_delta": "thinking",
        "input_json_delta": "partial_json",
    }
)
_HANDLERS: Final[Mapping[str, Callable[[Accumulator, Any], None]]] = MappingProxyType(
    {
        "message_start": Accumulator.start_message,
        "message_delta": Accumulator.update_message,
        "content_block_start": Accumulator.start_block,
        "content_block_delta": Accumulator.add_delta,
    }
)


def _joined_block(block: Any, chunks: list[str]) -> dict[str, Any]:
    kind = text(block, "type") or "text"
    joined = "".join(chunks)
    if kind in ("text", "thinking"):
        return {"type": kind, kind: (text(block, kind) or "") + joined}
    arguments = parsed_arguments(joined) if joined else field(block, "input")
    return {"type": kind, "id": text(block, "id"), "name": text(block, "name"), "input": arguments}
