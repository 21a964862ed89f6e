"""The one gate: what of prompts, answers and errors leaves the process, and how much of it.

Nothing does unless it is asked for (GenAI semconv, "Capturing content"). No other module sets a
content attribute, a status description or an exception's text.
"""

from __future__ import annotations

import json
import traceback
from collections.abc import Callable, Mapping
from dataclasses import replace
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, cast

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.encoded import (
    Encoded,
    Items,
    encode,
    encode_text,
)
from otel_agents.instrumentors._core.encoding.plain import plain
from otel_agents.instrumentors._core.hooks import completion, redaction
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr

__all__ = ["Content", "Gate"]

_ATTRIBUTES: Final = MappingProxyType(
    {
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
        "prompt_variables": attr.GEN_AI_PROMPT_VARIABLE,  # one attribute each
        "tool_definitions": attr.GEN_AI_TOOL_DEFINITIONS,
    }
)
_TEXTS: Final = ("retrieval_query", "memory_query")
_OBJECTS: Final = MappingProxyType({"tool_arguments": "arguments", "tool_result": "result"})
_BEST_FIRST: Final = ("retrieval_documents", "memory_records", "tool_definitions")


class Content:
    """What one operation may carry; each a value, or a function that converts it when wanted.

    Messages and parts are plain dicts in the shapes of `otel_agents.semconv.messages`. A long list
    is best given as `Items`, which are converted only as far as the budget goes. A field that was
    not set costs nothing. Nothing that is given here is changed.
    """

    __slots__ = (*_ATTRIBUTES, "encoded", "told")

    input_messages: Any
    memory_query: Any
    memory_records: Any
    output_messages: Any
    prompt_variables: Any
    retrieval_documents: Any
    retrieval_query: Any
    system_instructions: Any
    tool_arguments: Any
    tool_definitions: Any
    tool_result: Any
    told: dict[str, Any]
    """What the completion hook left of it; the gate's own."""
    encoded: dict[str, Encoded]
    """The attributes, once they were asked for; the gate's own."""


class Gate:
    """Decides what leaves, and encodes it; one per instrumentor.

    Args:
        settings: What is asked for.
        completion_hook: Given the content of each call; default is the one of the settings.
        on_truncation: Told of each attribute that was cut.
        redaction_hook: Sees content before anything is set; a function, the name of an entry
            point, or ``module:function``; default is the one of the settings.
    """

    __slots__ = ("_completion", "_limit", "_on_truncation", "_redact", "_span_limit", "on_event",
                 "on_span", "wanted")  # fmt: skip

    def __init__(
        self,
        settings: Settings,
        completion_hook: Any = None,
        on_truncation: Callable[[], None] | None = None,
        *,
        redaction_hook: redaction.Redact | str | None = None,
    ) -> None:
        self._limit = settings.content_max_bytes
        self._span_limit = settings.span_max_bytes
        self._on_truncation = on_truncation
        self._redact, usable = redaction.load(redaction_hook or settings.redaction_hook)
        self._completion = (
            completion.load(completion_hook, settings.completion_hook) if usable else None
        )
        self.on_span = settings.capture.on_span and usable
        """Whether spans carry content."""
        self.on_event = settings.capture.on_event and usable and settings.emit_event
        """Whether events carry content."""
        self.wanted = self.on_span or self.on_event or self._completion is not None
        """Whether there is any use in setting a field of `Content`."""

    def tell(self, content: Content, span: Span, record: LogRecord | None) -> None:
        """Give the content to the hook, and set it on span and record, each if it is asked for.

        Args:
            content: Not to be set further after this.
            span: The operation's span, not ended yet.
            record: Its event, not emitted yet, None if there will be none.
        """
        if self._completion is not None:
            self._complete(self._completion, content, span, record)
        attributes = self.span_attributes(content, span.is_recording())
        if attributes:
            span.set_attributes(attributes)
        if self.on_event and record is not None:
            record.attributes = {**(record.attributes or {}), **self.event_attributes(content)}

    def span_attributes(self, content: Content, recording: bool) -> dict[str, Any]:
        """The attributes of a span: JSON, within the budgets, with the marks of what was cut."""
        if not (self.on_span and recording):
            return {}
        return _marked(self._encoded(content), attrgetter("text"))

    def event_attributes(self, content: Content) -> dict[str, Any]:
        """The attributes of an event: the same as structures, the same cut."""
        return _marked(self._encoded(content), Encoded.structure) if self.on_event else {}

    def description(self, error: BaseException) -> str | None:
        """The description of an error's status: its text where spans carry content."""
        return self._text("exception_message", _message(error)) if self.on_span else None

    def exception_attributes(self, error: BaseException) -> dict[str, Any]:
        """The exception event's attributes: the type always, the texts only with content."""
        told: dict[str, Any] = {attr.EXCEPTION_TYPE: errors.error_type(error)}
        if self.on_event:
            message = self._text("exception_message", _message(error))
            if message is not None:
                told[attr.EXCEPTION_MESSAGE] = message
            trace = "".join(traceback.format_exception(error))
            stack = self._text("exception_stacktrace", trace, end=True)
            if stack is not None:
                told[attr.EXCEPTION_STACKTRACE] = stack
        return told

    def value_attribute(self, name: str, value: Any) -> dict[str, Any]:
        """A value that an event of ours carries as JSON, under ``name``; nothing without content."""
        if value is not None and self.on_event and self._redact is not None:
            value = self._redact("event_value", value)
        if value is None or not self.on_event:
            return {}
        try:
            encoded = encode(value, self._limit)
        except Exception:  # another thread may be editing it
            errors.internal_error("encoding event_value")
            return {}
        if encoded.original_bytes is not None and self._on_truncation is not None:
            self._on_truncation()
        return {name: encoded.text} if encoded.text else {}

    def _text(self, kind: str, text: str | None, *, end: bool = False) -> str | None:
        if text is not None and self._redact is not None:
            text = self._redact(kind, text)
        if text is None:
            return None
        encoded = encode_text(text, self._limit, end=end)
        if encoded.original_bytes is not None and self._on_truncation is not None:
            self._on_truncation()
        return encoded.text

    def _complete(
        self, hook: completion.Completion, content: Content, span: Span, record: LogRecord | None
    ) -> None:
        """Call the hook, for operations that have messages."""
        if not (hasattr(content, "input_messages") or hasattr(content, "output_messages")):
            return
        recorded = (self.on_span and span.is_recording()) or (self.on_event and record is not None)
        kinds = tuple(_ATTRIBUTES) if recorded else completion.KINDS
        content.told = hook(self._collected(content, kinds), span, record)

    def _collected(self, content: Content, kinds: tuple[str, ...]) -> dict[str, Any]:
        """The content that there is, converted as far as it must be, and redacted."""
        collected: dict[str, Any] = {}
        for kind in kinds:
            value = getattr(content, kind, None)
            if value is None:
                continue
            try:
                value = self._converted(kind, value)
            except Exception:
                errors.internal_error(f"converting {kind}")
                continue
            if self._redact is not None:
                value = self._redact(kind, value)
            if value is not None and value != []:
                collected[kind] = value
        return collected

    def _converted(self, kind: str, value: Any) -> Any:
        value = value() if callable(value) else value
        if isinstance(value, Items) and (self._redact or self._completion):
            return value.all()
        return _as_object(value, _OBJECTS[kind], self._limit) if kind in _OBJECTS else value

    def _encoded(self, content: Content) -> dict[str, Encoded]:
        """Attributes by name, within the budgets of each and of all; made once."""
        if hasattr(content, "encoded"):
            return content.encoded
        told = content.told if hasattr(content, "told") else None
        told = self._collected(content, tuple(_ATTRIBUTES)) if told is None else told
        room = self._span_limit
        encoded: dict[str, Encoded] = {}
        for number, (kind, value) in enumerate(told.items(), 1):
            # A quarter of what is left is for those that follow.
            share = room if number == len(told) else room * 3 // 4
            try:
                made = _encode(kind, value, min(self._limit, share))
            except Exception:  # another thread may be editing what the application sent
                errors.internal_error(f"encoding {kind}")
                continue
            for name, one in made.items():
                if one.original_bytes is not None and self._on_truncation is not None:
                    self._on_truncation()
                encoded[name] = one
                room -= one.size
        content.encoded = encoded
        return encoded


def _encode(kind: str, value: Any, budget: int) -> dict[str, Encoded]:
    name = _ATTRIBUTES[kind]
    if kind == "prompt_variables":
        return _encode_variables(name, value, budget)
    if kind in _TEXTS:
        text = value if isinstance(value, str) else str(plain(value))
        return {name: encode_text(text, budget)}
    return {name: encode(value, budget, newest=kind not in _BEST_FIRST)}


def _encode_variables(prefix: str, variables: Mapping[str, Any], budget: int) -> dict[str, Encoded]:
    """One attribute a variable, all of them strings; their names count as well."""
    encoded: dict[str, Encoded] = {}
    for key, value in variables.items():
        name = f"{prefix}.{key}"
        budget = max(budget - len(name), 0)
        one = encode_text(value, budget) if isinstance(value, str) else encode(value, budget)
        encoded[name] = replace(one, is_json=False)
        budget -= one.size
    return encoded


def _marked(encoded: dict[str, Encoded], read: Callable[[Encoded], Any]) -> dict[str, Any]:
    """Attributes for what fits, and the marks for what was cut or left out."""
    told = {name: read(one) for name, one in encoded.items() if one.text}
    cut = {name: one.original_bytes for name, one in encoded.items() if one.original_bytes}
    if cut:
        told[attr.OTEL_AGENTS_CONTENT_TRUNCATED] = tuple(cut)
        told[attr.OTEL_AGENTS_CONTENT_ORIGINAL_BYTES] = sum(cut.values())
    return told


def _message(error: BaseException) -> str | None:
    try:
        return str(error)
    except Exception:  # its own class fails to say it
        return None


def _as_object(value: Any, key: str, limit: int) -> Any:
    """Tool arguments and results are objects: JSON text is read, anything else is wrapped."""
    if isinstance(value, str) and len(value) <= limit and value.lstrip()[:1] == "{":
        try:
            return json.loads(value)
        except (ValueError, RecursionError):  # it only looked like JSON
            return {key: cast(Any, value)}
    if isinstance(value, dict):
        return cast(Any, value)
    if not isinstance(value, (str, bytes, list, tuple)):
        simple = plain(value)
        if isinstance(simple, dict):
            return cast(Any, simple)
    return {key: cast(Any, value)}
