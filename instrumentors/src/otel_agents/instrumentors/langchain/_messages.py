"""LangChain's messages in the conventions' shape, and what those of a model report with them.

Source: GenAI semconv, "Message JSON schemas".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.api import Message, Part, ResponseFields, Usage
from otel_agents.instrumentors._dialects.fields import as_mapping, items, listed, text
from otel_agents.instrumentors._dialects.parts import (
    message,
    reasoning_part,
    text_message,
    tool_call,
    tool_call_response,
)
from otel_agents.semconv import attributes as attr

from ._content import content_parts, tool_result

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage
    from langchain_core.outputs import ChatGeneration, Generation

__all__ = [
    "billed_usage",
    "fields_of",
    "generations_of",
    "merged_metadata",
    "metadata_of",
    "model_message",
    "model_messages",
    "output_message",
    "state_input",
    "state_output",
    "sum_of_usages",
    "usage_of",
]

_ROLES: Final = MappingProxyType(
    {"human": "user", "ai": "assistant", "system": "system", "tool": "tool", "function": "tool"}
)
_USAGE_DETAILS: Final = (
    ("input_token_details", "cache_read", attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS),
    ("input_token_details", "cache_creation", attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS),
    ("output_token_details", "reasoning", attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS),
)
_REASONS: Final = ("finish_reason", "stop_reason", "stopReason", "done_reason")
_GENERATED: Final = ("lc_", "run-")
"""How ids begin that LangChain gives to messages without one."""
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


def metadata_of(generation: Any) -> Mapping[str, Any]:
    """Return what the provider reported with a message, or with a generated text."""
    info = as_mapping(getattr(generation, "generation_info", None))
    message = getattr(generation, "message", None)
    return {**info, **as_mapping(getattr(message, "response_metadata", None))}


def generations_of(response: Any) -> list[Any]:
    """Return what was generated: one for each choice."""
    found = items(response, "generations")
    return [one for some in found for one in listed(some) or [some]]


def merged_metadata(chunks: Sequence[Any]) -> dict[str, Any]:
    """Return the metadata of a stream; what several chunks have is the last one's."""
    return {name: value for chunk in chunks for name, value in metadata_of(chunk).items()}


def sum_of_usages(chunks: Sequence[Any]) -> Usage | None:
    """Return the usage of a stream, of which each chunk reports a part, or one of them all."""
    usages = [usage for chunk in chunks if (usage := usage_of(chunk)) is not None]
    if not usages:
        return None
    breakdown: Counter[str] = Counter()
    for usage in usages:
        breakdown.update(usage.breakdown)
    inputs = sum(usage.input_tokens or 0 for usage in usages)
    return Usage(inputs, sum(usage.output_tokens or 0 for usage in usages), dict(breakdown))


def fields_of(
    metadata: Sequence[Mapping[str, Any]], usage: Usage | None, generations: Sequence[Any]
) -> ResponseFields:
    """Return what is reported of a response that consists of ``generations``."""
    first: Mapping[str, Any] = metadata[0] if metadata else {}
    return ResponseFields(
        response_id=text(first, "id") or _message_id(generations),
        model=text(first, "model_name") or text(first, "model"),
        finish_reasons=tuple(reason for one in metadata if (reason := _reason(one))),
        usage=usage,
    )


def _message_id(generations: Sequence[Any]) -> str | None:
    """Return the id of the response, which some classes give to its message."""
    message = getattr(generations[0], "message", None) if generations else None
    found = text(message, "id")
    return found if found and not found.startswith(_GENERATED) else None


def _reason(metadata: Mapping[str, Any]) -> str | None:
    reason = next((metadata[name] for name in _REASONS if metadata.get(name)), None)
    return reason.lower() if isinstance(reason, str) else None


def usage_of(generation: Any) -> Usage | None:
    """Return the usage that the message of a generation, or a part of it, reports."""
    usage = as_mapping(getattr(getattr(generation, "message", None), "usage_metadata", None))
    if not usage:
        return None
    breakdown: dict[str, int] = {}
    for group, name, attribute in _USAGE_DETAILS:
        count = as_mapping(usage.get(group)).get(name)
        if isinstance(count, int) and count:
            breakdown[attribute] = count
    return Usage(usage.get("input_tokens"), usage.get("output_tokens"), breakdown)


def billed_usage(shared: Mapping[str, Any]) -> Usage | None:
    """Return the usage that classes report in OpenAI's form, as those that complete texts do."""
    usage = as_mapping(shared.get("token_usage"))
    inputs, outputs = usage.get("prompt_tokens"), usage.get("completion_tokens")
    known = isinstance(inputs, int) or isinstance(outputs, int)
    return Usage(inputs, outputs, {}) if known else None


def output_message(generation: ChatGeneration | Generation) -> Message:
    """Return what was generated as a message."""
    message = getattr(generation, "message", None)
    if message is None:
        return text_message("assistant", generation.text)
    return {**model_message(message), "role": "assistant"}
