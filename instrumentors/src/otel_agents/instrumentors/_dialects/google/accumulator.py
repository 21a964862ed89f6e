"""Accumulates a stream, whose chunks are responses that each hold a little more."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import Body, fields_of

from .responses import finish_reasons, output_messages
from .spellings import camel_case, field, items, text

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

    __slots__ = ("call", "index", "metadata", "parts", "reason", "texts", "thought")

    def __init__(self, index: int) -> None:
        self.index = index
        self.reason: str | None = None
        self.metadata: dict[str, Any] = {}
        self.call: dict[str, Any] = {}
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
        """Add the arguments of a call that Vertex AI streams; return whether it is such a call.

        Its first chunk has the name, and the others have parts of the arguments.
        """
        name, arguments = text(call, "name"), list(items(call, "partial_args"))
        if name is not None:
            if not arguments and not field(call, "will_continue"):
                return False
            self.call = {}
            streamed = {"id": text(call, "id"), "name": name, "args": self.call}
            self.parts.append({"function_call": streamed})
        for argument in arguments:
            path = (text(argument, "json_path") or "").removeprefix("$.")
            known, value = self.call.get(path), _value(argument)
            if isinstance(known, str) and isinstance(value, str):
                value = known + value
            self.call[path] = value
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
        content = {"role": "model", "parts": list(self.parts)}
        return {
            "index": self.index,
            "content": content,
            "finish_reason": self.reason,
            **self.metadata,
        }


def _value(argument: Any) -> Any:
    names = ("string_value", "number_value", "bool_value")
    return next((v for name in names if (v := field(argument, name)) is not None), None)


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

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before the first chunk."""
        if not self._latest and not self._candidates:
            return None
        candidates = [one.whole() for _, one in sorted(self._candidates.items())]
        return {**self._latest, "candidates": candidates}

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return output_messages(self.response())
