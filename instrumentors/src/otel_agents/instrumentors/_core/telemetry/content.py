"""The content of one operation, encoded once, within its budget, when it is set.

Encoding later would record what the application has made of its messages in the meantime, and
copying them for later costs more than encoding.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Final, TypeAlias, cast

from opentelemetry._logs import LogRecord
from opentelemetry.trace import Span

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.encoded import (
    Encoded,
    EncodedTexts,
    Items,
    encode,
    encode_text,
    encode_texts,
    encode_variables,
)
from otel_agents.instrumentors._core.encoding.plain import as_object, json_copy, plain
from otel_agents.instrumentors._core.hooks import completion, redaction
from otel_agents.semconv import attributes as attr

from .span_attributes import set_attributes

__all__ = ["DISABLED_CONTENT", "NO_CONTENT", "Content", "Policy", "Redacted", "RequestedContent"]

_ATTRIBUTES: Final = MappingProxyType(
    {
        # In the order of otel_agents.content.truncated.
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
        "tags": attr.OTEL_AGENTS_TAGS,
        "metadata": attr.OTEL_AGENTS_METADATA,  # one attribute each
    }
)
_OBJECTS: Final = MappingProxyType({"tool_arguments": "arguments", "tool_result": "result"})
_CONVERTED: Final = frozenset(("output_messages", *_OBJECTS))
_RANKED: Final = ("retrieval_documents", "memory_records", "tool_definitions")
_BUDGET_QUARTERS: Final = MappingProxyType(
    {
        # Quarters of what is left of a span's budget. Output may use all of it, as nothing follows.
        # Input leaves a quarter for the output. Tool definitions can be larger than all the rest,
        # and tags and metadata are not what the operation is about.
        **dict.fromkeys(
            ("output_messages", "tool_result", "retrieval_documents", "memory_records"), 4
        ),
        **dict.fromkeys(("tool_definitions", "tags", "metadata"), 1),
    }
)
_DEFAULT_QUARTERS: Final = 3
_quarters_of: Final = {**_BUDGET_QUARTERS}.get  # a proxy's own `get` takes twice as long
_VARIABLES: Final = ("prompt_variables", "metadata")
_AS_TEXT: Final = frozenset((*_VARIABLES, "tags", "retrieval_query", "memory_query"))
"""The fields that are not recorded as JSON."""
_Attributes: TypeAlias = "Mapping[str, Encoded | EncodedTexts]"
_REASON: Final = "finish_reason"
_TEXT: Final = attrgetter("text")
_EMPTY: Final = cast(Any, MappingProxyType({}))
"""Shared by all instances whose content is disabled."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What content is emitted, and how much of it.

    Attributes:
        limit: Bytes of one attribute.
        span_limit: Bytes of all content of a span.
        on_span: Whether spans carry content.
        on_event: Whether events carry content.
        redact: Redacts content before anything is set.
        completion: Called with the content of each call.
        on_truncation: Called with the number of truncated attributes.
    """

    limit: int
    span_limit: int
    on_span: bool
    on_event: bool
    redact: redaction.Redaction | None = None
    completion: completion.Completion | None = None
    on_truncation: Callable[[int], None] | None = None

    @property
    def has_completion_hook(self) -> bool:
        """Whether there is a completion hook, as far as is known."""
        return self.completion is not None and not self.completion.is_absent


class Redacted(str):
    """Text that has passed the redaction hook, and does not pass it again when it is exported."""

    __slots__ = ()


class _Field:
    """A field of `Content`, which can be set and not read."""

    __slots__ = ("_kind",)

    def __set_name__(self, owner: type[Content], name: str) -> None:
        self._kind = name

    def __set__(self, content: Content, value: Any) -> None:
        content.set(self._kind, value)


class Content:
    """The content of one operation; set a field to a value, or to a function that returns it.

    A field is converted, redacted and encoded when it is set, if content is enabled; later changes
    to the value have no effect. Messages and parts are plain dicts in the shapes of
    `otel_agents.semconv.messages`. Pass a long list as `Items`, which are converted only as far as
    the budget goes. A field that is not set costs nothing. Values are neither changed nor kept.

    Example:
        >>> def set_content(content: Content, question: str):
        ...     part = {"type": "text", "content": question}
        ...     content.input_messages = [{"role": "user", "parts": [part]}]
        ...     content.tool_definitions = lambda: [{"type": "function", "name": "search"}]

    Args:
        policy: The content policy.
        recording: Whether the operation's span is recorded.
        event: Whether the operation emits an event.
    """

    __slots__ = (
        *("_budget", "_encoded", "_for_hook", "_is_counted", "_policy", "_recorded", "enabled"),
    )

    input_messages = _Field()
    memory_query = _Field()
    memory_records = _Field()
    metadata = _Field()
    output_messages = _Field()
    prompt_variables = _Field()
    retrieval_documents = _Field()
    retrieval_query = _Field()
    system_instructions = _Field()
    tags = _Field()
    tool_arguments = _Field()
    tool_definitions = _Field()
    tool_result = _Field()

    def __init__(self, policy: Policy, recording: bool, event: bool) -> None:
        self._policy = policy
        self._recorded = (recording and policy.on_span) or (event and policy.on_event)
        self._budget = policy.span_limit
        self._is_counted = False
        self.enabled = self._recorded or policy.has_completion_hook
        """Whether any field is recorded; if False, skip collecting content."""
        self._encoded: dict[str, _Attributes] = {} if self.enabled else _EMPTY
        self._for_hook: dict[str, Any] = {} if self.enabled else _EMPTY

    def set(self, kind: str, value: Any) -> None:
        """Set the field ``kind``; None sets nothing. Never raises."""
        if value is None or not self.enabled:
            return
        policy = self._policy
        try:
            if policy.redact is not None or policy.completion is not None:
                value = self._passed_to_hooks(kind, value, policy)
            else:
                value = value() if callable(value) else value
                if kind in _CONVERTED and type(value) is not Items:
                    value = _converted(kind, value, policy.limit)
        except Exception:
            errors.internal_error(f"converting {kind}")
            return
        if not (value is None or (isinstance(value, list) and not value)):
            self._encode(kind, value)

    def _passed_to_hooks(self, kind: str, value: Any, policy: Policy) -> Any:
        """Return what to encode now: nothing if a hook may change it when the operation ends."""
        for_hook = kind in completion.KINDS and policy.has_completion_hook
        if not (for_hook or self._recorded):
            return None
        if policy.redact is not None and not policy.redact.is_available:
            return None
        value = _whole(kind, value, policy.limit)
        if policy.redact is not None:
            value = policy.redact(kind, value)
        if for_hook and value is not None and value != []:
            self._for_hook[kind] = json_copy(value)
        return None if for_hook else value

    def _encode(self, kind: str, value: Any) -> None:
        room = self._budget
        if kind in self._encoded:
            room += sum(one.size for one in self._encoded.pop(kind).values())
        share, limit = room * _quarters_of(kind, _DEFAULT_QUARTERS) // 4, self._policy.limit
        made: _Attributes
        try:
            if kind in _AS_TEXT:
                made = _encode_text(kind, value, min(limit, share))
            else:
                newest = kind not in _RANKED
                made = {_ATTRIBUTES[kind]: encode(value, min(limit, share), newest=newest)}
        except Exception:  # another thread may be editing what the application sent
            errors.internal_error(f"encoding {kind}")
            made = {}
        self._encoded[kind] = made
        for one in made.values():
            room -= one.size
        self._budget = room

    def of_span(self) -> dict[str, Any] | None:
        """Return the attributes for our own span, instead of `emit`; None if a hook is called.

        Never raises.
        """
        if self._for_hook:
            return None
        if not self._policy.on_span:
            return {}
        found: dict[str, Any] = {}
        truncated = False
        for made in self._encoded.values():  # a hot path: without a call, if all of it fits
            for name, one in made.items():
                if one.original_bytes is not None:
                    truncated = True
                if one.text:
                    found[name] = one.text
        return {**found, **self._marks()} if truncated else found

    def emit(self, span: Span | None, record: LogRecord | None, is_foreign: bool = False) -> None:
        """Call the completion hook, and set the content on span and record as the policy says.

        Args:
            span: The operation's span, not ended yet; None if it has what `of_span` returned.
            record: Its event, not emitted yet; None if there is none.
            is_foreign: Whether the span is another library's, whose content is redacted on export.
        """
        if self._for_hook and span is not None:
            self._complete(span, record)
        if not self._encoded:
            return
        policy = self._policy
        encoded, marks = self._all()
        if policy.on_span and span is not None and span.is_recording():
            read = _redacted_text if is_foreign and policy.redact is not None else _TEXT
            set_on_span = {name: read(one) for name, one in encoded.items() if one.text}
            set_attributes(span, {**set_on_span, **marks} if marks else set_on_span)
        if policy.on_event and record is not None:
            on_event = {name: one.structure() for name, one in encoded.items() if one.text}
            record.attributes = {**(record.attributes or {}), **on_event, **marks}

    def _all(self) -> tuple[dict[str, Encoded | EncodedTexts], dict[str, Any]]:
        """Return everything by attribute, and the marks of what was truncated."""
        encoded: dict[str, Encoded | EncodedTexts] = {}
        for made in self._encoded.values():
            encoded.update(made)
        return encoded, self._marks()

    def _marks(self) -> dict[str, Any]:
        """Return the attributes that mark what was truncated or omitted, which is counted once."""
        originals: dict[str, int] = {}
        number = 0
        for kind in filter(self._encoded.__contains__, _ATTRIBUTES):
            for name, one in self._encoded[kind].items():
                if one.original_bytes is not None:
                    number += 1
                    if one.original_bytes:
                        originals[name] = one.original_bytes
        counted, self._is_counted = self._is_counted, True
        if number and not counted and self._policy.on_truncation is not None:
            self._policy.on_truncation(number)
        if not originals:
            return {}
        return {
            attr.OTEL_AGENTS_CONTENT_TRUNCATED: tuple(originals),
            attr.OTEL_AGENTS_CONTENT_ORIGINAL_BYTES: sum(originals.values()),
        }

    def _complete(self, span: Span, record: LogRecord | None) -> None:
        """Call the hook for operations that have messages, and encode its changes."""
        hook, kept, self._for_hook = self._policy.completion, self._for_hook, {}
        if hook is not None and ("input_messages" in kept or "output_messages" in kept):
            kept = hook({kind: kept[kind] for kind in _ATTRIBUTES if kind in kept}, span, record)
        if self._recorded:
            for kind, value in kept.items():
                self._encode(kind, value)


NO_CONTENT: Final = Policy(limit=0, span_limit=0, on_span=False, on_event=False)
"""The policy by which nothing is emitted."""

DISABLED_CONTENT: Final = Content(NO_CONTENT, False, False)
"""The content of every operation whose content is disabled."""


class RequestedContent(Content):
    """The content of a layer's request, for the operation that may report it later.

    If there are hooks, it keeps a copy, which only that operation passes to them.

    Args:
        policy: The content policy.
    """

    __slots__ = ()

    def __init__(self, policy: Policy) -> None:
        super().__init__(policy, True, True)

    def set(self, kind: str, value: Any) -> None:
        """Set the field ``kind``; None sets nothing. Never raises."""
        policy = self._policy
        if value is None or not (policy.redact or policy.completion):
            super().set(kind, value)
            return
        try:
            self._for_hook[kind] = json_copy(_whole(kind, value, policy.limit))
        except Exception:
            errors.internal_error(f"converting {kind}")

    def copy_to(self, content: Content) -> None:
        """Set this content on ``content``, which must be empty."""
        for kind, value in self._for_hook.items():
            content.set(kind, value)
        if content._recorded and self._encoded:
            content._encoded, content._budget = self._encoded, self._budget


def _whole(kind: str, value: Any, limit: int) -> Any:
    """Return all of a value, for hooks."""
    value = value() if callable(value) else value
    return _converted(kind, value.all() if isinstance(value, Items) else value, limit)


def _converted(kind: str, value: Any, limit: int) -> Any:
    if kind == "output_messages" and isinstance(value, list):
        return _with_finish_reasons(cast("list[Any]", value))
    return as_object(value, _OBJECTS[kind], limit) if kind in _OBJECTS else value


def _encode_text(kind: str, value: Any, budget: int) -> _Attributes:
    name = _ATTRIBUTES[kind]
    if kind in _VARIABLES:
        return encode_variables(name, value, budget)
    if kind == "tags":
        return {name: encode_texts(value, budget)}
    text = value if isinstance(value, str) else str(plain(value))
    return {name: encode_text(text, budget)}


def _redacted_text(one: Encoded | EncodedTexts) -> Any:
    return Redacted(one.text) if isinstance(one, Encoded) else one.text


def _with_finish_reasons(messages: list[Any]) -> list[Any]:
    """Return the messages, each with a finish reason: older schemas require one."""
    for one in messages:
        if _REASON not in one:
            return [one if _REASON in one else {**one, _REASON: _reason(one)} for one in messages]
    return messages


def _reason(message: Mapping[str, Any]) -> str:
    calls_tool = any(part.get("type") == "tool_call" for part in message["parts"])
    return "tool_call" if calls_tool else "stop"
