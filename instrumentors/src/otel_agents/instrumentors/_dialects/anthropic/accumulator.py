"""A stream of Anthropic's put together: from its events, or from the bytes of them."""

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
    """Reads server-sent events from the pieces in which they come.

    What is not whole is kept for the next piece; an event that is no JSON object is left out.
    """

    def __init__(self) -> None:
        self._rest = b""

    def read(self, piece: bytes) -> Iterator[dict[str, Any]]:
        """The events that are whole with this piece."""
        *whole, self._rest = (self._rest + piece).replace(b"\r\n", b"\n").split(_SEPARATOR)
        for event in whole:
            lines = event.split(b"\n")
            data = b"\n".join(line[len(_DATA) :] for line in lines if line.startswith(_DATA))
            try:
                read: Any = json.loads(data)
            except ValueError:  # a ping without data, or what a gateway has put in between
                continue
            if isinstance(read, dict):
                yield read


class Accumulator:
    """What a stream said so far, as the answer that it would have been in one piece.

    Args:
        content: Whether to gather what was said; the rest is gathered anyhow.
    """

    def __init__(self, content: bool = True) -> None:
        self._content = content
        self._usage: dict[str, int] = {}
        self._message: Any = None
        self._stop_reason: str | None = None
        self._blocks: dict[int, tuple[Any, list[str]]] = {}

    def add(self, chunk: Any) -> None:
        """Take one event in."""
        take = _TAKES.get(text(chunk, "type") or "")
        if take is not None:
            take(self, chunk)

    def response(self) -> dict[str, Any] | None:
        """The answer; None where no message has begun."""
        if self._message is None:
            return None
        return {
            "id": text(self._message, "id"),
            "model": text(self._message, "model"),
            "role": "assistant",
            "stop_reason": self._stop_reason,
            "usage": self._usage,
            "content": [_whole(*block) for _, block in sorted(self._blocks.items())],
        }

    def messages(self) -> list[Message]:
        """The output so far."""
        return output_messages(self.response())

    def begin(self, event: Any) -> None:
        """``message_start``."""
        self._message = field(event, "message")
        self._usage.update(counts_of(field(self._message, "usage")))

    def end(self, event: Any) -> None:
        """``message_delta``: later numbers replace earlier ones."""
        self._stop_reason = text(field(event, "delta"), "stop_reason") or self._stop_reason
        self._usage.update(counts_of(field(event, "usage")))

    def open_block(self, event: Any) -> None:
        """``content_block_start``."""
        if self._content:
            self._blocks[field(event, "index") or 0] = (field(event, "content_block"), [])

    def add_piece(self, event: Any) -> None:
        """``content_block_delta``."""
        block = self._blocks.get(field(event, "index") or 0)
        delta = field(event, "delta")
        piece = text(delta, _PIECES.get(text(delta, "type") or "", ""))
        if block is not None and piece:
            block[1].append(piece)


_PIECES: Final = MappingProxyType(
    {
        "text_delta": "text",
        "thinking_delta": "thinking",
        "input_json_delta": "partial_json",
    }
)
_TAKES: Final[Mapping[str, Callable[[Accumulator, Any], None]]] = MappingProxyType(
    {
        "message_start": Accumulator.begin,
        "message_delta": Accumulator.end,
        "content_block_start": Accumulator.open_block,
        "content_block_delta": Accumulator.add_piece,
    }
)


def _whole(block: Any, pieces: list[str]) -> dict[str, Any]:
    kind = text(block, "type") or "text"
    said = "".join(pieces)
    if kind in ("text", "thinking"):
        return {"type": kind, kind: (text(block, kind) or "") + said}
    arguments = parsed_arguments(said) if said else field(block, "input")
    return {"type": kind, "id": text(block, "id"), "name": text(block, "name"), "input": arguments}
