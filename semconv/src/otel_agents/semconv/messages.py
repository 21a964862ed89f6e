"""The shapes of messages and their parts, as types and as tables for the checker.

Source: GenAI semconv, "Message JSON schemas". Objects may have further keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, TypedDict

__all__ = [
    "PART_TYPES",
    "FunctionToolDefinition",
    "InputMessage",
    "MemoryRecord",
    "OutputMessage",
    "Part",
    "PartType",
    "RetrievalDocument",
]

Part = dict[str, Any]
"""A message part: ``type`` and the keys that `PART_TYPES` lists for it."""


class _Message(TypedDict):
    role: str
    parts: list[Part]


class InputMessage(_Message, total=False):
    """A message of ``gen_ai.input.messages``, in the order sent.

    Example:
        >>> part = {"type": "text", "content": "How far is the moon?"}
        >>> message: InputMessage = {"role": "user", "parts": [part]}
    """

    name: str


class OutputMessage(_Message, total=False):
    """The message of one choice, of ``gen_ai.output.messages``.

    The newest text deprecates ``finish_reason``; the published schema requires it, and the official
    packages emit it.

    Example:
        >>> part = {"type": "text", "content": "384,400 km."}
        >>> answer: OutputMessage = {"role": "assistant", "parts": [part], "finish_reason": "stop"}
    """

    name: str
    finish_reason: str


class _Definition(TypedDict):
    type: str
    name: str


class FunctionToolDefinition(_Definition, total=False):
    """A tool of ``gen_ai.tool.definitions``; by default only type and name are recorded.

    Example:
        >>> tool: FunctionToolDefinition = {"type": "function", "name": "get_distance"}
    """

    description: str
    parameters: Mapping[str, Any]


class RetrievalDocument(TypedDict, total=False):
    """A document of ``gen_ai.retrieval.documents``.

    Example:
        >>> document: RetrievalDocument = {"id": "moon.md", "score": 0.92}
    """

    id: str
    score: float


class _Record(TypedDict):
    content: Any


class MemoryRecord(_Record, total=False):
    """A record of ``gen_ai.memory.records``.

    Example:
        >>> record: MemoryRecord = {"content": "prefers kilometres", "id": "m-1"}
    """

    id: str
    score: float
    metadata: Mapping[str, Any]


@dataclass(frozen=True)
class PartType:
    """One part type: its keys besides ``type`` and their JSON types.

    Example:
        >>> "content" in PART_TYPES["text"].required
        True

    Attributes:
        required: The required keys and their types.
        optional: The optional keys and their types.
        typed: Keys whose value is an object with its own ``type``.
    """

    required: Mapping[str, tuple[type, ...]]
    optional: Mapping[str, tuple[type, ...]]
    typed: tuple[str, ...] = ()


_TEXT: Final = (str,)
_ANY: Final = (object,)
_ID: Final[Mapping[str, tuple[type, ...]]] = MappingProxyType({"id": (str, type(None))})
_MIME: Final[Mapping[str, tuple[type, ...]]] = MappingProxyType({"mime_type": (str, type(None))})

PART_TYPES: Final[Mapping[str, PartType]] = MappingProxyType(
    {
        "text": PartType({"content": _TEXT}, {}),
        "reasoning": PartType({"content": _TEXT}, {}),
        "compaction": PartType({}, {**_ID, "content": _ANY}),
        "tool_call": PartType({"name": _TEXT}, {**_ID, "arguments": _ANY}),
        "tool_call_response": PartType({"response": _ANY}, _ID),
        "server_tool_call": PartType(
            {"name": _TEXT, "server_tool_call": (dict,)}, _ID, typed=("server_tool_call",)
        ),
        "server_tool_call_response": PartType(
            {"server_tool_call_response": (dict,)}, _ID, typed=("server_tool_call_response",)
        ),
        "blob": PartType({"modality": _TEXT, "content": _TEXT}, _MIME),
        "file": PartType({"modality": _TEXT, "file_id": _TEXT}, _MIME),
        "uri": PartType({"modality": _TEXT, "uri": _TEXT}, _MIME),
    }
)
"""The known part types. A part of any other type is generic, and needs only a ``type``."""
