"""Content that other libraries recorded: the redaction hook and the budgets hold for it too."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple, cast

from opentelemetry import metrics

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.encoded import Encoded, encode, encode_text
from otel_agents.instrumentors._core.encoding.plain import dump, json_copy
from otel_agents.instrumentors._core.encoding.sizes import bytes_within
from otel_agents.instrumentors._core.hooks import redaction
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv.foreign import OTHER, TEXT_KINDS
from otel_agents.semconv.metrics import OTEL_AGENTS_CONTENT_TRUNCATIONS

from .content import Redacted
from .metrics import SharedCounters

__all__ = ["Fitting", "ForeignContent"]

_SCOPE: Final = "otel_agents.distro"
_STACK: Final = "exception_stacktrace"
_RANKED: Final = ("retrieval_documents", "memory_records", "tool_definitions")


class Fitting(NamedTuple):
    """A value as it may leave the process; ``original_bytes`` is None if it is complete."""

    value: Any
    size: int
    original_bytes: int | None = None


class ForeignContent:
    """Redacts and bounds the values that other libraries recorded.

    Args:
        settings: The settings.
    """

    def __init__(self, settings: Settings) -> None:
        self.span_limit = settings.span_max_bytes
        """Bytes of all content of a span."""
        self._limit = settings.content_max_bytes
        self._redact = redaction.load(settings.redaction_hook)
        shared = SharedCounters(_SCOPE, metrics.get_meter(_SCOPE), None)
        self._truncations = shared.of(OTEL_AGENTS_CONTENT_TRUNCATIONS)

    def fit(self, kind: str, value: Any, room: int) -> Fitting | None:
        """Return ``value`` as it may leave the process; None if it may not. Never raises.

        Args:
            kind: Its kind, for the redaction hook. A value of another shape is passed as text of
                the kind ``other``.
            value: Text, JSON, or what an attribute may be besides; it is not changed.
            room: Bytes that are left for it.
        """
        try:
            return self._fit(kind, value, min(room, self._limit))
        except Exception:  # another thread may be editing it
            errors.internal_error("bounding foreign content")
            return None

    def _fit(self, kind: str, value: Any, room: int) -> Fitting | None:
        size = _size_within(value, room)
        redact = None if isinstance(value, Redacted) else self._redact
        if redact is None and size is not None:
            return Fitting(value, size)
        kind, content = _readable(kind, value)
        if redact is not None:
            redacted = redact(kind, content)
            if redacted is None:
                return None
            if size is not None and redacted == content:
                return Fitting(value, size)
            content = redacted
        encoded = _encoded(kind, content, room)
        if encoded.original_bytes is not None:
            self._truncations.add(1, {})
        made = encoded.text if isinstance(value, str) or not encoded.text else encoded.structure()
        return Fitting(made or None, encoded.size, encoded.original_bytes)


def _size_within(value: Any, room: int) -> int | None:
    if isinstance(value, str):
        return bytes_within(value, room)
    size = len(dump(json_copy(value)))
    return size if size <= room else None


def _encoded(kind: str, content: Any, room: int) -> Encoded:
    if kind in TEXT_KINDS:
        return encode_text(content, room, end=kind == _STACK)
    return encode(content, room, newest=kind not in _RANKED)


def _readable(kind: str, value: Any) -> tuple[str, Any]:
    """Return the kind and the content that the redaction hook gets."""
    if kind in TEXT_KINDS:
        return kind, value if isinstance(value, str) else _text(value)
    structure = _parsed(value) if isinstance(value, str) else json_copy(value)
    if _SHAPES[kind](structure):
        return kind, structure
    return OTHER, value if isinstance(value, str) else _text(value)


def _text(value: Any) -> str:
    return dump(json_copy(value)).decode()


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def _are(value: Any, *fields: str) -> bool:
    """Return whether ``value`` is a list of objects with these fields."""
    if not isinstance(value, list):
        return False
    items = cast("list[Any]", value)
    return all(isinstance(one, dict) and all(name in one for name in fields) for one in items)


def _are_messages(value: Any) -> bool:
    return _are(value, "role", "parts") and all(_are(one["parts"], "type") for one in value)


_SHAPES: Final[Mapping[str, Callable[[Any], bool]]] = MappingProxyType(
    {
        "input_messages": _are_messages,
        "output_messages": _are_messages,
        "system_instructions": lambda value: _are(value, "type"),
        **dict.fromkeys(_RANKED, _are),
        **dict.fromkeys(("tool_arguments", "tool_result"), lambda value: isinstance(value, dict)),
    }
)
"""Whether a value has the shape that the redaction hook expects of its kind."""
