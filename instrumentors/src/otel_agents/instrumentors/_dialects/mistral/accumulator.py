"""Accumulates a stream of completion chunks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any, Final, cast

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import field, fields_of, items, text

__all__ = ["ChatAccumulator", "joined"]

_NO_ID: Final = "null"
"""What the SDK reads if a call has no id."""


class _Choice:
    """One choice of a stream."""

    __slots__ = ("calls", "content", "reason")

    def __init__(self) -> None:
        self.reason: str | None = None
        self.content: list[Any] = []
        self.calls: list[dict[str, Any]] = []

    def add_call(self, delta: Any) -> None:
        """Add a tool call, or the continuation of one.

        Calls come whole. Older versions of the API give them no index, so the id decides too.
        """
        call_id, index = text(delta, "id"), field(delta, "index") or 0
        function = field(delta, "function")
        arguments = field(function, "arguments")
        last = next((it for it in reversed(self.calls) if it["index"] == index), None)
        if last is not None and call_id in (None, _NO_ID, last["id"]):
            sofar = last["function"]["arguments"]
            last["function"]["arguments"] = f"{sofar}{arguments}" if sofar else arguments
        else:
            named = {"name": text(function, "name") or "", "arguments": arguments}
            self.calls.append({"id": call_id, "index": index, "function": named})


class ChatAccumulator:
    """Accumulates chunks, which an event wraps in ``data``, into a whole completion.

    Args:
        output_messages: Converts a whole completion.
        content: Whether to accumulate content too; id, model, reasons and usage always are.
    """

    def __init__(
        self, output_messages: Callable[[Any], list[Message]], *, content: bool = True
    ) -> None:
        self._output_messages = output_messages
        self._content = content
        self._head: dict[str, Any] | None = None
        self._usage: Any = None
        self._choices: dict[int, _Choice] = {}

    @property
    def finished(self) -> bool:
        """Whether the last chunk has arrived, which has the usage."""
        return self._usage is not None

    def add(self, chunk: Any) -> None:
        """Add one event; nearly every one holds some content and nothing else."""
        # A hot path: one function for an event, its chunk, the choices and their deltas.
        event = fields_of(chunk)
        fields = fields_of(event.get("data") or chunk)
        if self._head is None:
            self._head = {"id": fields.get("id"), "model": fields.get("model")}
        for choice in fields.get("choices") or ():
            choice_fields = fields_of(choice)
            index = choice_fields.get("index") or 0
            collected = self._choices.get(index)
            if collected is None:
                collected = self._choices[index] = _Choice()
            collected.reason = choice_fields.get("finish_reason") or collected.reason
            if self._content:
                delta = fields_of(choice_fields.get("delta"))
                content = delta.get("content")
                if content:
                    collected.content.append(content)
                for call in delta.get("tool_calls") or ():
                    collected.add_call(call)
        if fields.get("usage"):
            self._usage = fields["usage"]

    def response(self) -> dict[str, Any] | None:
        """Return the completion so far; None before the first chunk."""
        if self._head is None:
            return None
        choices = [_whole(index, choice) for index, choice in sorted(self._choices.items())]
        return {**self._head, "choices": choices, "usage": self._usage}

    def messages(self) -> list[Message]:
        """Return one message per choice; the finish reason of one that broke off is ``error``."""
        messages = self._output_messages(self.response())
        reasons = (choice.reason or "error" for _, choice in sorted(self._choices.items()))
        return [
            {**message, "finish_reason": reason}
            for message, reason in zip(messages, reasons, strict=True)
            if message["parts"]
        ]


def _whole(index: int, choice: _Choice) -> dict[str, Any]:
    message = {"role": "assistant", "content": joined(choice.content), "tool_calls": choice.calls}
    return {"index": index, "message": message, "finish_reason": choice.reason}


def joined(contents: Iterable[Any]) -> str | list[Any]:
    """Join the deltas of a message's content: strings, chunks and lists of chunks."""
    chunks = [chunk for content in contents for chunk in _chunks(content)]
    whole: list[Any] = []
    for kind, group in groupby(chunks, _kind):
        if kind == "text":
            whole.append({"type": kind, "text": "".join(map(_text, group))})
        elif kind == "thinking":
            thoughts = [it for chunk in group for it in items(chunk, "thinking")]
            whole.append({"type": kind, "thinking": thoughts})
        else:
            whole.extend(group)
    is_text = len(whole) == 1 and _kind(whole[0]) == "text"
    return whole[0]["text"] if is_text else whole


def _chunks(content: Any) -> list[Any]:
    return cast("list[Any]", content) if isinstance(content, list) else [content]


def _kind(chunk: Any) -> str:
    return "text" if isinstance(chunk, str) else text(chunk, "type") or ""


def _text(chunk: Any) -> str:
    return chunk if isinstance(chunk, str) else text(chunk, "text") or ""
