"""The objects that completion hooks get if the official package is not installed.

They have the same names, fields and defaults as ``opentelemetry.util.genai.types`` of
``opentelemetry-util-genai`` 1.3, so that a hook works with either.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

__all__ = [
    "BlobPart",
    "CompactionPart",
    "FilePart",
    "FunctionToolDefinition",
    "GenericPart",
    "GenericToolDefinition",
    "InputMessage",
    "OutputMessage",
    "ReasoningPart",
    "ServerToolCallPart",
    "ServerToolCallResponsePart",
    "TextPart",
    "ToolCallRequestPart",
    "ToolCallResponsePart",
    "UriPart",
]


@dataclass
class GenericPart:
    """A part of any other type."""

    type: str


@dataclass
class TextPart:
    """Text."""

    content: str
    type: str = "text"


@dataclass
class ReasoningPart:
    """The model's reasoning."""

    content: str
    type: str = "reasoning"


@dataclass
class CompactionPart:
    """The provider compacted the conversation."""

    id: str | None = None
    content: str | None = None
    type: str = "compaction"


@dataclass
class ToolCallRequestPart:
    """The model requests a tool call."""

    arguments: Any
    name: str
    id: str | None
    type: str = "tool_call"


@dataclass
class ToolCallResponsePart:
    """The result of a tool call."""

    response: Any
    id: str | None
    type: str = "tool_call_response"


@dataclass
class ServerToolCallPart:
    """The provider calls a tool."""

    name: str
    server_tool_call: Any
    id: str | None = None
    type: str = "server_tool_call"


@dataclass
class ServerToolCallResponsePart:
    """The result of the provider's tool call."""

    server_tool_call_response: Any
    id: str | None = None
    type: str = "server_tool_call_response"


@dataclass
class BlobPart:
    """Media; the content is always empty, see `media`."""

    mime_type: str | None
    modality: str
    content: bytes
    type: str = "blob"


@dataclass
class FilePart:
    """A file stored at the provider."""

    mime_type: str | None
    modality: str
    file_id: str
    type: str = "file"


@dataclass
class UriPart:
    """A file at a URI."""

    mime_type: str | None
    modality: str
    uri: str
    type: str = "uri"


@dataclass
class InputMessage:
    """A message sent to the model."""

    role: str
    parts: list[Any]
    name: str | None = None


@dataclass
class OutputMessage:
    """A message from the model."""

    role: str
    parts: list[Any]
    finish_reason: str | None = None
    name: str | None = None


@dataclass
class FunctionToolDefinition:
    """A function offered to the model."""

    name: str
    description: str | None
    parameters: Any
    type: str = "function"


@dataclass
class GenericToolDefinition:
    """Any other tool offered to the model."""

    name: str
    type: str
