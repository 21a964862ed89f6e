"""What a stream said so far, put together chunk by chunk."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import field, items, text, view

from .messages import completion_output, output_messages
from .response_items import response_output

__all__ = ["ChatAssembly", "CompletionAssembly", "ResponseAssembly", "TextAssembly"]


class _Choice:
    """One choice of a chat stream: lists of pieces, joined at the end."""

    __slots__ = ("calls", "content", "reasoning", "refusal", "role")

    def __init__(self) -> None:
        self.role = "assistant"
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: dict[int, dict[str, Any]] = {}

    def add(self, delta: Any) -> None:
        """Take one delta in; nearly every one holds a piece of content and nothing else."""
        fields = view(delta)
        content = fields.get("content")
        if content:
            self.content.append(content)
        for key, pieces in (
            ("reasoning_content", self.reasoning),
            ("reasoning", self.reasoning),
            ("refusal", self.refusal),
        ):
            piece = fields.get(key)
            if piece:
                pieces.append(piece)
        self.role = fields.get("role") or self.role
        for call in fields.get("tool_calls") or ():
            self._add_call(call)

    def _add_call(self, delta: Any) -> None:
        index = field(delta, "index") or 0
        call = self.calls.setdefault(index, {"id": None, "name": "", "arguments": []})
        call["id"] = call["id"] or text(delta, "id")
        function = field(delta, "function")
        call["name"] = call["name"] or text(function, "name") or ""
        piece = text(function, "arguments")
        if piece:
            call["arguments"].append(piece)

    def choice(self) -> dict[str, Any]:
        """The choice as a finished response would have it."""
        calls = [
            {
                "id": call["id"],
                "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
            }
            for _, call in sorted(self.calls.items())
        ]
        return {
            "message": {
                "role": self.role,
                "content": "".join(self.content),
                "reasoning_content": "".join(self.reasoning),
                "refusal": "".join(self.refusal),
                "tool_calls": calls,
            }
        }


class ChatAssembly:
    """Gathers a stream of chat chunks."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk in."""
        for choice in view(chunk).get("choices") or ():
            fields = view(choice)
            index, delta = fields.get("index") or 0, fields.get("delta")
            if delta is None:
                continue
            gathered = self._choices.get(index)
            if gathered is None:
                gathered = self._choices[index] = _Choice()
            gathered.add(delta)

    def messages(self) -> list[Message]:
        """One message per choice that has said something."""
        return output_messages(choice.choice() for _, choice in sorted(self._choices.items()))


class CompletionAssembly:
    """Gathers a stream of legacy completion chunks."""

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk in."""
        for choice in items(chunk, "choices"):
            piece = text(choice, "text")
            if piece:
                self._texts.setdefault(field(choice, "index") or 0, []).append(piece)

    def messages(self) -> list[Message]:
        """One message per choice that has said something."""
        return completion_output({"text": "".join(t)} for _, t in sorted(self._texts.items()))


class ResponseAssembly:
    """Gathers the items of a Responses stream that breaks off; a whole one ends with all of them."""

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        self._pieces: dict[int, list[str]] = {}

    def add(self, chunk: Any) -> None:
        """Take one event in."""
        kind = text(chunk, "type")
        index = field(chunk, "output_index") or 0
        if kind == "response.output_item.done":
            self._items[index] = field(chunk, "item")
        elif kind == "response.output_text.delta":
            self._pieces.setdefault(index, []).append(text(chunk, "delta") or "")

    def messages(self) -> list[Message]:
        """The items that are whole, and the text of the one that is not."""
        partial: dict[int, Any] = {
            index: {"type": "message", "content": "".join(pieces)}
            for index, pieces in self._pieces.items()
        }
        return response_output(item for _, item in sorted({**partial, **self._items}.items()))


class TextAssembly:
    """Gathers the pieces of a transcript."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, chunk: Any) -> None:
        """Take one event in."""
        if text(chunk, "type") == "transcript.text.delta":
            self._pieces.append(text(chunk, "delta") or "")

    def messages(self) -> list[Message]:
        """The transcript so far."""
        return completion_output([{"text": "".join(self._pieces)}] if self._pieces else [])
