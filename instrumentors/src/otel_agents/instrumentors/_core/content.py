"""The one gate: what of prompts, answers and errors leaves the process, and how much of it.

Nothing does unless it is asked for (GenAI semconv, "Capturing content"). No other module sets a
content attribute, a status description or an exception's text.
"""

from __future__ import annotations

import json
import logging
import traceback
from collections.abc import Callable
from typing import Any, Final, cast

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span

from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr

from . import errors, hooks
from .encoding import Encoded, Items, dump, encode, encode_text

__all__ = ["Content", "Gate"]

_log = logging.getLogger("otel_agents")

_ATTRIBUTES: Final = {
    # In the order in which they share the budget of a span.
    "system_instructions": attr.GEN_AI_SYSTEM_INSTRUCTIONS,
    "input_messages": attr.GEN_AI_INPUT_MESSAGES,
    "output_messages": attr.GEN_AI_OUTPUT_MESSAGES,
    "tool_arguments": attr.GEN_AI_TOOL_CALL_ARGUMENTS,
    "tool_result": attr.GEN_AI_TOOL_CALL_RESULT,
    "retrieval_query": attr.GEN_AI_RETRIEVAL_QUERY_TEXT,
    "retrieval_documents": attr.GEN_AI_RETRIEVAL_DOCUMENTS,
    "memory_query": attr.GEN_AI_MEMORY_QUERY_TEXT,
    "memory_records": attr.GEN_AI_MEMORY_RECORDS,
    "tool_definitions": attr.GEN_AI_TOOL_DEFINITIONS,
}
_TEXTS: Final = ("retrieval_query", "memory_query")
_OBJECTS: Final = {"tool_arguments": "arguments", "tool_result": "result"}
_SMALLEST: Final = 256
"""Bytes of a span's budget below which a further attribute is left out."""


class Content:
    """What one operation may carry; each a value, or a function that converts it when wanted.

    Messages and parts are plain dicts in the shapes of `otel_agents.semconv.messages`. A long list
    is best given as `Items`, which are converted only as far as the budget goes.
    """

    __slots__ = tuple(_ATTRIBUTES)

    input_messages: Any
    memory_query: Any
    memory_records: Any
    output_messages: Any
    retrieval_documents: Any
    retrieval_query: Any
    system_instructions: Any
    tool_arguments: Any
    tool_definitions: Any
    tool_result: Any


class Gate:
    """Decides and encodes; one per instrumentor.

    Args:
        settings: What is asked for.
        completion_hook: Given the content of each call; default is the one of the settings.
        on_truncation: Told of each attribute that was cut.
    """

    __slots__ = ("_hook", "_on_truncation", "_redact", "_settings", "on_event", "on_span", "wanted")

    def __init__(
        self,
        settings: Settings,
        completion_hook: Any = None,
        on_truncation: Callable[[], None] | None = None,
    ) -> None:
        self._settings = settings
        self._on_truncation = on_truncation
        self._hook = completion_hook or hooks.load_completion_hook(settings)
        self._redact, usable = hooks.load_redaction(settings.redaction_hook)
        self.on_span = settings.capture.on_span and usable
        self.on_event = settings.capture.on_event and usable and settings.emit_event
        if not usable:
            self._hook = None
        self.wanted = self.on_span or self.on_event or self._hook is not None

    def tell(self, content: Content, span: Span, record: LogRecord | None) -> None:
        """Set the content on the span and on the event's record, each if it is asked for."""
        on_span = self.on_span and span.is_recording()
        on_event = self.on_event and record is not None
        if not (on_span or on_event or self._hook is not None):
            return
        told = self._collect(content)
        if self._hook is not None:
            told = hooks.complete(self._hook, told, span, record)
        encoded = self._encode(told) if on_span or on_event else {}
        if on_span:
            span.set_attributes(self._marked(encoded, lambda one: one.text))
        if on_event and record is not None:
            values = self._marked(encoded, Encoded.structure)
            record.attributes = {**(record.attributes or {}), **values}

    def description(self, error: BaseException) -> str | None:
        """The description of an error's status: its text where spans carry content."""
        return self._text("exception_message", str(error)) if self.on_span else None

    def exception_attributes(self, error: BaseException) -> dict[str, Any]:
        """The exception event's attributes: the type always, the texts only with content."""
        kind = type(error)
        name = kind.__qualname__
        if kind.__module__ != "builtins":
            name = f"{kind.__module__}.{name}"
        told: dict[str, Any] = {attr.EXCEPTION_TYPE: name}
        if self.on_event:
            trace = "".join(traceback.format_exception(kind, error, error.__traceback__))
            for key, name, text in (
                ("exception_message", attr.EXCEPTION_MESSAGE, str(error)),
                ("exception_stacktrace", attr.EXCEPTION_STACKTRACE, trace),
            ):
                passed = self._text(key, text)
                if passed is not None:
                    told[name] = passed
        return told

    def _text(self, kind: str, text: str) -> str | None:
        passed = self._redacted(kind, text)
        if not isinstance(passed, str):
            return None
        return encode_text(passed, self._settings.content_max_bytes).text

    def _collect(self, content: Content) -> dict[str, Any]:
        """The content that there is, converted as far as it must be, and redacted."""
        told: dict[str, Any] = {}
        whole = self._redact is not None or self._hook is not None
        for kind in _ATTRIBUTES:
            value = getattr(content, kind, None)
            if value is None:
                continue
            try:
                value = value() if callable(value) else value
                if whole and isinstance(value, Items):
                    value = value.all()
            except Exception:
                errors.internal_error(f"converting {kind}")
                continue
            value = self._redacted(kind, value)
            if value is not None and value != []:
                told[kind] = _as_object(value, _OBJECTS[kind]) if kind in _OBJECTS else value
        return told

    def _redacted(self, kind: str, value: Any) -> Any:
        if self._redact is None:
            return value
        try:
            return self._redact(kind, value)
        except Exception:
            errors.internal_error("redacting; the value is dropped")
            return None

    def _encode(self, told: dict[str, Any]) -> dict[str, Encoded]:
        """JSON by attribute name, within the budgets of an attribute and of the span."""
        room = self._settings.span_max_bytes
        encoded: dict[str, Encoded] = {}
        for kind, value in told.items():
            budget = min(self._settings.content_max_bytes, room)
            if budget < _SMALLEST and budget < self._settings.content_max_bytes:
                one = Encoded("", len(dump(_all(value))))
            elif kind in _TEXTS:
                one = encode_text(str(value), budget)
            else:
                one = encode(value, budget)
            if one.original_bytes is not None and self._on_truncation is not None:
                self._on_truncation()
            encoded[_ATTRIBUTES[kind]] = one
            room -= len(one.text.encode())
        return encoded

    def _marked(
        self, encoded: dict[str, Encoded], read: Callable[[Encoded], Any]
    ) -> dict[str, Any]:
        """Attributes for what fits, and the marks for what was cut or left out."""
        told = {name: read(one) for name, one in encoded.items() if one.text}
        cut = {name: one for name, one in encoded.items() if one.original_bytes is not None}
        if cut:
            told[attr.OTEL_AGENTS_CONTENT_TRUNCATED] = tuple(cut)
            originals = (one.original_bytes or 0 for one in cut.values())
            told[attr.OTEL_AGENTS_CONTENT_ORIGINAL_BYTES] = sum(originals)
        return told


def _all(value: Any) -> Any:
    return value.all() if isinstance(value, Items) else value


def _as_object(value: Any, key: str) -> Any:
    """Tool arguments and results are objects: JSON text is read, anything else is wrapped."""
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            value = json.loads(value)
        except ValueError:  # it only looked like JSON
            return {key: value}
    return cast(Any, value) if isinstance(value, dict) else {key: value}
