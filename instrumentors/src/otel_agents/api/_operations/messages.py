"""What a function was given and returned, as messages, documents and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding.encoded import dump

__all__ = ["document", "memory_record", "messages", "sequence"]


def messages(role: str, value: Any) -> list[Any] | None:
    """Return ``value`` as messages: a list of them, or one of ``role`` with a text."""
    if value is None:
        return None
    if isinstance(value, list) and value and all(map(_is_message, cast("list[Any]", value))):
        return [_message(one) for one in cast("list[Mapping[str, Any]]", value)]
    return [_text_message(role, value)]


def _is_message(value: Any) -> bool:
    if not isinstance(value, Mapping):
        return False
    keys = cast("Mapping[str, Any]", value)
    return isinstance(keys.get("role"), str) and ("parts" in keys or "content" in keys)


def _message(value: Mapping[str, Any]) -> Mapping[str, Any]:
    return value if "parts" in value else _text_message(value["role"], value["content"])


def _text_message(role: str, value: Any) -> dict[str, Any]:
    text = value if isinstance(value, str) else dump(value).decode("utf-8", "replace")
    return {"role": role, "parts": [{"type": "text", "content": text}]}


def sequence(value: Any) -> Sequence[Any]:
    """Return ``value`` if it is a list or a tuple, else a list with it; empty for None."""
    if value is None:
        return []
    return cast("Sequence[Any]", value) if isinstance(value, (list, tuple)) else [value]


def document(value: Any) -> dict[str, Any]:
    """Return a document that was found: its id, score and text, as far as they are known."""
    if isinstance(value, str):
        return {"content": value}
    if isinstance(value, Mapping):
        return dict(cast("Mapping[str, Any]", value))
    named = {name: getattr(value, name, None) for name in ("id", "score")}
    found = {name: one for name, one in named.items() if one is not None}
    text = next(
        (text for name in _TEXTS if isinstance(text := getattr(value, name, None), str)), None
    )
    return found if text is None else {**found, "content": text}


_TEXTS: Final = ("content", "text", "page_content")


def memory_record(value: Any) -> dict[str, Any]:
    """Return a record of a memory; the conventions require its content."""
    made = document(value)
    return (
        made if "content" in made else {**made, "content": dump(value).decode("utf-8", "replace")}
    )
