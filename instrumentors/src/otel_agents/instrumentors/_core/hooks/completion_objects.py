"""Conversion between content and the objects that completion hooks get."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Mapping
from dataclasses import MISSING, fields, is_dataclass, make_dataclass
from keyword import iskeyword
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media

from . import completion_types

__all__ = ["content_of", "message_object", "part_object", "tool_object"]

_OFFICIAL: Final = "opentelemetry.util.genai.types"
_PARTS: Final[Mapping[str, str]] = MappingProxyType(
    {
        "text": "TextPart",
        "reasoning": "ReasoningPart",
        "compaction": "CompactionPart",
        "tool_call": "ToolCallRequestPart",
        "tool_call_response": "ToolCallResponsePart",
        "server_tool_call": "ServerToolCallPart",
        "server_tool_call_response": "ServerToolCallResponsePart",
        "blob": "BlobPart",
        "file": "FilePart",
        "uri": "UriPart",
    }
)


_OPTIONAL: Final = (
    *("id", "name", "mime_type", "finish_reason", "description", "parameters", "arguments"),
    "content",
)


def message_object(name: str, message: Mapping[str, Any]) -> Any:
    """Return a message with its parts as an object of the class ``name``."""
    parts = [part_object(part) for part in message.get("parts", ())]
    return _object(_class(name), {**message, "parts": parts})


def part_object(part: Mapping[str, Any]) -> Any:
    """Return a part as an object."""
    name = _PARTS.get(str(part.get("type")))
    if name is None:
        keys = (key for key in part if key.isidentifier() and not iskeyword(key))
        return _object(_generic(tuple(key for key in keys if key != "type")), part)
    return _object(_class(name), {**part, "content": b""} if name == "BlobPart" else part)


def tool_object(tool: Mapping[str, Any]) -> Any:
    """Return a tool definition as an object."""
    kind = "Function" if tool.get("type") == "function" else "Generic"
    return _object(_class(f"{kind}ToolDefinition"), tool)


def _object(kind: Any, values: Mapping[str, Any]) -> Any:
    """Create an object of the class; keys without a field become attributes."""
    known = {one.name: one for one in fields(kind)}
    made = kind(
        **{
            name: values.get(name)
            for name, one in known.items()
            if name in values or one.default is MISSING
        }
    )
    for key, value in values.items():
        if key not in known:
            setattr(made, key, value)
    return made


def content_of(value: Any) -> Any:
    """Return a message, a part or a tool definition that a hook got as plain content again."""
    if not is_dataclass(value) or isinstance(value, type):
        return value  # the hook replaced it: record its value
    content: dict[str, Any] = {}
    data = b""
    for name, item in vars(value).items():
        if name == "parts" and isinstance(item, list):
            content[name] = [content_of(part) for part in cast("list[Any]", item)]
        elif isinstance(item, bytes):  # data is never recorded inline
            content[name], data = "", item
        elif item is not None or name not in _OPTIONAL:
            content[name] = item
    return {**content, **media.placeholder(data)} if data else content


@functools.lru_cache(maxsize=64)
def _class(name: str) -> Any:
    """Return the official class if that package is installed, else ours."""
    try:
        official: Any = importlib.import_module(_OFFICIAL)
    except ImportError:
        official = completion_types
    return getattr(official, name, None) or getattr(completion_types, name)


@functools.lru_cache(maxsize=256)
def _generic(keys: tuple[str, ...]) -> Any:
    """Return a class for parts of other types, with fields for their keys."""
    return make_dataclass(
        "GenericPart", [(key, Any) for key in keys], bases=(_class("GenericPart"),)
    )
