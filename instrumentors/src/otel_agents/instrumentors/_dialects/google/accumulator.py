"""Accumulates a stream, whose chunks are responses that each hold a little more."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import Body, fields_of

from .citations import quoted
from .responses import finish_reasons, output_messages
from .spellings import camel_case, field, text
from .streamed_calls import StreamedCall

__all__ = ["Accumulator"]

_LATEST: Final = tuple(
    (name, camel_case(name))
    for name in ("response_id", "model_version", "usage_metadata", "prompt_feedback")
)
_METADATA: Final = tuple(
    (name, camel_case(name)) for name in ("grounding_metadata", "url_context_metadata")
)


class _Candidate:
    """One candidate of a stream: texts are lists of strings, joined at the end."""

    __slots__ = ("call", "citations", "index", "metadata", "parts", "reason", "texts", "thought")

    def __init__(self, index: int) -> None:
        self.index = index
        self.reason: str | None = None
        self.metadata: dict[str, Any] = {}
        self.call: StreamedCall | None = None
        self.citations: list[dict[str, Any]] = []
        self.parts: list[Any] = []
        self.texts: list[str] = []
        self.thought = False

    def add(self, part: Any) -> None:
        """Add a part: texts of one kind that follow each other are one part."""
        fields = fields_of(part)
        content = fields.get("text")
        if isinstance(content, str):
            thought = bool(fields.get("thought"))
            if thought is not self.thought:
                self.flush()
                self.thought = thought
            if content:
                self.texts.append(content)
            return
        self.flush()
        call = field(part, "function_call")
        if call is None or not self._continue_call(call):
            self.parts.append(part)

    def _continue_call(self, call: Any) -> bool:
        """Add a chunk of a call whose arguments are streamed; return whether it is one."""
        if text(call, "name") is not None:
            if not (field(call, "partial_args") or field(call, "will_continue")):
                return False
            self.call = StreamedCall(call)
            self.parts.append(self.call)
        if self.call is not None:
            self.call.add(call)
        return True

    def flush(self) -> None:
        """Join the texts so far into a part."""
        if self.texts:
            part: dict[str, Any] = {"text": "".join(self.texts)}
            self.parts.append({**part, "thought": True} if self.thought else part)
            self.texts = []

    def whole(self) -> dict[str, Any]:
        """Return the candidate in the shape of a whole response."""
        self.flush()
        parts = [part.part() if isinstance(part, StreamedCall) else part for part in self.parts]
        content = {"role": "model", "parts": parts}
        return {
            "index": self.index,
            "content": content,
            "finish_reason": self.reason,
            "citation_metadata": {"citations": self.citations},
            **self.metadata,
        }


class Accumulator:
    """Accumulates chunks into the response that it would have been without streaming.

    Args:
        content: Whether to accumulate parts too; id, model, reasons and usage always are.

    Attributes:
        finished: Whether each candidate so far has a finish reason, which its last chunk has.
    """

    def __init__(self, content: bool = True) -> None:
        self._content = content
        self._latest: dict[str, Any] = {}
        self._candidates: dict[int, _Candidate] = {}
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one chunk; nearly every one holds some text and the usage so far."""
        # A hot path: both spellings are looked up here, without a call for each field.
        fields = fields_of(chunk)
        for name, spelled in _LATEST:
            value = fields.get(name) or fields.get(spelled)
            if value:
                self._latest[name] = value
        for candidate in fields.get("candidates") or ():
            self._add_candidate(fields_of(candidate))
        if not self._candidates:
            self.finished = bool(finish_reasons(self._latest))  # why the prompt was blocked

    def _add_candidate(self, fields: Body) -> None:
        index = fields.get("index") or 0
        collected = self._candidates.get(index)
        if collected is None:
            collected = self._candidates[index] = _Candidate(index)
            self.finished = False
        reason = fields.get("finish_reason") or fields.get("finishReason")
        if reason:
            collected.reason = getattr(reason, "value", reason)
            self.finished = all(one.reason for one in self._candidates.values())
        if not self._content:
            return
        for part in fields_of(fields.get("content")).get("parts") or ():
            collected.add(part)
        for name, spelled in _METADATA:
            value = fields.get(name) or fields.get(spelled)
            if value:
                collected.metadata[name] = value
        cited = fields.get("citation_metadata") or fields.get("citationMetadata")
        if cited:
            collected.citations += [it for it in quoted(cited) if it not in collected.citations]

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before the first chunk."""
        if not self._latest and not self._candidates:
            return None
        candidates = [one.whole() for _, one in sorted(self._candidates.items())]
        return {**self._latest, "candidates": candidates}

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return output_messages(self.response())
