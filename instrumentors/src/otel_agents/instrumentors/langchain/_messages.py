"""LangChain's messages in the conventions' shape (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import as_mapping, listed
from otel_agents.instrumentors._dialects.parts import (
    message,
    reasoning_part,
    text_message,
    tool_call,
    tool_call_response,
)

from ._content import content_parts, tool_result

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

__all__ = ["model_message", "model_messages", "state_input", "state_output"]

_ROLES: Final = MappingProxyType(
    {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool"}
)
_STATE_KEYS: Final = ("messages", "input", "output")
"""Where graphs, executors and chains keep what is a conversation in their state."""


def model_messages(values: Sequence[BaseMessage]) -> Items:
    """Return the messages that are sent to a model."""
    return Items(list(values), model_message)


def model_message(value: BaseMessage) -> Message:
    """Return one message."""
    kind = value.type.removesuffix("Chunk").removesuffix("MessageChunk")
    role = _ROLES.get("ai" if kind.startswith("AI") else kind) or getattr(value, "role", "user")
    name = getattr(value, "name", None)  # early ones have none
    if role == "tool":
        call_id = getattr(value, "tool_call_id", None)
        return message(role, [tool_call_response(call_id, tool_result(value.content))], name)
    calls = [
        cast("dict[str, Any]", one)
        for kind in ("tool_calls", "invalid_tool_calls")
        for one in listed(getattr(value, kind, None))
    ]
    called = [tool_call(one.get("id"), one.get("name"), one.get("args")) for one in calls]
    return message(role, [*_reasoning(value), *content_parts(value.content), *called], name)


def _reasoning(value: BaseMessage) -> list[Part]:
    """Return the reasoning that some providers' classes keep beside the content."""
    found = as_mapping(getattr(value, "additional_kwargs", None)).get("reasoning_content")
    return [reasoning_part(found)] if found and isinstance(found, str) else []


def state_input(value: Any) -> Callable[[], list[Message]] | None:
    """Return the input of a graph or a chain: its messages, or its state as one message."""
    return None if value is None else lambda: _messages_of("user", value)


def state_output(value: Any) -> Callable[[], list[Message]] | None:
    """Return the result of a graph or a chain: the last message, or the state as one."""
    return None if value is None else lambda: _messages_of("assistant", value)[-1:]


def _messages_of(role: str, value: Any) -> list[Message]:
    state = _fields_of(value)
    key = next((key for key in _STATE_KEYS if key in state), None)
    found = value if key is None else state[key]
    if hasattr(found, "to_messages"):  # a prompt
        found = found.to_messages()
    several = listed(found) or [found]
    if all(map(_is_message, several)):
        return [_message(role, one) for one in several]
    return [text_message(role, found)]


def _fields_of(state: Any) -> Mapping[str, Any]:
    """Return the fields of a state: a dict, a dataclass or a Pydantic model; else none."""
    kind = cast("type[Any]", type(state))
    known = hasattr(kind, "__dataclass_fields__") or hasattr(kind, "__pydantic_validator__")
    return as_mapping(getattr(state, "__dict__", None) if known else state)


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
    return message(_ROLES.get(role, role), content_parts(content))
