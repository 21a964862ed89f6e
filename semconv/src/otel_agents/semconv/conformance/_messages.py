"""The shapes of content. A known part type is checked against its own definition."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.messages import PART_TYPES

_MESSAGES: Final = (attr.GEN_AI_INPUT_MESSAGES, attr.GEN_AI_OUTPUT_MESSAGES)
_OBJECTS: Final = (attr.GEN_AI_TOOL_CALL_ARGUMENTS, attr.GEN_AI_TOOL_CALL_RESULT)
_KEYS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        attr.GEN_AI_TOOL_DEFINITIONS: ("type", "name"),
        attr.GEN_AI_RETRIEVAL_DOCUMENTS: (),
        attr.GEN_AI_MEMORY_RECORDS: ("content",),
    }
)


def content_problems(name: str, content: Any) -> Iterator[str]:
    """Yield the problems of the value of the content attribute ``name``; none if it is valid."""
    if name in _OBJECTS:
        if not isinstance(content, dict):
            yield "not an object"
        return
    if not isinstance(content, list):
        yield "not a list"
        return
    for position, item in enumerate(cast("list[Any]", content)):
        if not isinstance(item, dict):
            yield f"[{position}] is not an object"
        elif name in _MESSAGES:
            yield from _message(position, cast("dict[str, Any]", item))
            if name == attr.GEN_AI_OUTPUT_MESSAGES:
                yield from _ending(position, cast("dict[str, Any]", item).get("finish_reason"))
        elif name == attr.GEN_AI_SYSTEM_INSTRUCTIONS:
            yield from _part(f"[{position}]", cast("dict[str, Any]", item))
        else:
            missing = [key for key in _KEYS[name] if key not in item]
            yield from (f"[{position}] has no {key}" for key in missing)


def _ending(position: int, reason: Any) -> Iterator[str]:
    if not isinstance(reason, str):
        yield f"[{position}] has no finish_reason"
    elif not reason:
        yield f"[{position}]: finish_reason is empty"


def _message(position: int, message: dict[str, Any]) -> Iterator[str]:
    if not isinstance(message.get("role"), str):
        yield f"[{position}] has no role"
    parts = message.get("parts")
    if not isinstance(parts, list):
        yield f"[{position}] has no parts"
        return
    for number, part in enumerate(cast("list[Any]", parts)):
        where = f"[{position}].parts[{number}]"
        if isinstance(part, dict):
            yield from _part(where, cast("dict[str, Any]", part))
        else:
            yield f"{where} is not an object"


def _part(where: str, part: dict[str, Any]) -> Iterator[str]:
    kind = part.get("type")
    if not isinstance(kind, str):
        yield f"{where} has no type"
        return
    known = PART_TYPES.get(kind)
    if known is None:  # a generic part: its type is enough
        return
    for key, types in known.required.items():
        if key not in part:
            yield f"{where} ({kind}) has no {key}"
        elif not isinstance(part[key], types):
            yield f"{where} ({kind}): {key} is {type(part[key]).__name__}"
    for key, types in known.optional.items():
        if key in part and not isinstance(part[key], types):
            yield f"{where} ({kind}): {key} is {type(part[key]).__name__}"
    for key in known.typed:
        if isinstance(part.get(key), dict) and "type" not in part[key]:
            yield f"{where} ({kind}): {key} has no type"
