"""LangChain's messages in the conventions' shape (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import as_mapping, listed
from otel_agents.instrumentors._dialects.parts import (
    as_text,
    message,
    reasoning_part,
    text_message,
    text_part,
    tool_call,
    tool_call_response,
)

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["model_message", "model_messages", "state_input", "state_output"]

_ROLES: Final = MappingProxyType(
    {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool"}
)
_MEDIA: Final = MappingProxyType(
    {"image": "image", "image_url": "image", "audio": "audio", "video": "video", "file": "document"}
)
"""Modalities of blocks of content, by their types."""
_STATE_KEYS: Final = ("messages", "input", "output")
"""Where graphs, executors and chains keep what is a conversation in their state."""


def model_messages(values: Sequence[BaseMessage]) -> Items:
    """Return the messages that are sent to a model."""
    return Items(list(values), model_message)


def model_message(value: BaseMessage) -> Message:
    """Return one message."""
    kind = value.type.removesuffix("Chunk").removesuffix("MessageChunk")
    role = _ROLES.get("ai" if kind.startswith("AI") else kind) or getattr(value, "role", "user")
    if role == "tool":
        call_id = getattr(value, "tool_call_id", None)
        return message(role, [tool_call_response(call_id, value.content)], value.name)
    calls = cast("list[dict[str, Any]]", getattr(value, "tool_calls", None) or [])
    called = [tool_call(one.get("id"), one.get("name"), one.get("args")) for one in calls]
    return message(role, [*_parts(value.content), *called], value.name)


def _parts(content: str | Sequence[Any]) -> list[Part]:
    if isinstance(content, str):
        return [text_part(content)] if content else []
    return [part for block in content if (part := _part(block)) is not None]


def _part(block: Any) -> Part | None:
    """Return a block of content; calls of tools are in a list of their own."""
    if isinstance(block, str):
        return text_part(block)
    fields = as_mapping(block)
    kind = str(fields.get("type"))
    if kind == "text":
        return text_part(as_text(fields.get("text")))
    if kind in ("reasoning", "thinking"):
        return reasoning_part(fields.get("reasoning") or fields.get("thinking") or "")
    if kind in _MEDIA:
        return _media_part(fields, _MEDIA[kind])
    return None if kind in ("tool_use", "tool_call", "function_call") else text_part(as_text(block))


def _media_part(fields: Any, modality: str) -> Part:
    image = fields.get("image_url")
    url = as_mapping(image).get("url") or image or fields.get("url")
    if isinstance(url, str):
        return media.part_from_url(url, modality)
    data = fields.get("base64") or fields.get("data")
    if isinstance(data, str):
        return media.part_from_base64(data, fields.get("mime_type"), modality)
    return text_part(as_text({"type": fields.get("type"), "id": fields.get("file_id")}))


def state_input(value: Any) -> Callable[[], list[Message]] | None:
    """Return the input of a graph or a chain: its messages, or its state as one message."""
    return None if value is None else lambda: _messages_of("user", value)


def state_output(value: Any) -> Callable[[], list[Message]] | None:
    """Return the result of a graph or a chain: the last message, or the state as one."""
    return None if value is None else lambda: _messages_of("assistant", value)[-1:]


def _messages_of(role: str, value: Any) -> list[Message]:
    state: Mapping[str, Any] = vars(value) if _is_record(value) else as_mapping(value)
    key = next((key for key in _STATE_KEYS if key in state), None)
    found = value if key is None else state[key]
    if hasattr(found, "to_messages"):  # a prompt
        found = found.to_messages()
    several = listed(found) or [found]
    if all(map(_is_message, several)):
        return [_message(role, one) for one in several]
    return [text_message(role, found)]


def _is_record(value: Any) -> bool:
    """Return whether it is a state that is a dataclass or a Pydantic model."""
    kind = cast("type[Any]", type(value))
    known = hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__pydantic_validator__")
    return known and hasattr(value, "__dict__")


def _is_message(value: Any) -> bool:
    """Return whether it is a message in one of the forms that ``add_messages`` takes."""
    if isinstance(value, tuple):
        return len(cast("tuple[Any, ...]", value)) == 2
    return isinstance(value, str) or _is_base(value) or "content" in as_mapping(value)


def _is_base(value: Any) -> bool:
    return hasattr(value, "content") and hasattr(value, "type")


def _message(role: str, value: Any) -> Message:
    if _is_base(value):
        return model_message(value)
    if isinstance(value, str):
        return text_message(role, value)
    if isinstance(value, tuple):
        role, content = cast("tuple[str, Any]", value)
    else:
        fields = as_mapping(value)
        role, content = str(fields.get("role") or fields.get("type") or role), fields["content"]
    return message(_ROLES.get(role, role), _parts(content))
