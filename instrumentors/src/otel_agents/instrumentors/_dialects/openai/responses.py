"""The Responses API: items, streams, and a status instead of finish reasons."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import (
    Body,
    as_mapping,
    field,
    items,
    text,
    without_none,
)
from otel_agents.instrumentors._dialects.parts import (
    message,
    reasoning_part,
    tool_call,
    tool_call_response,
    with_finish_reasons,
)
from otel_agents.semconv.values import Modality, OpenAIApiType, Operation

from .api import OpenAIApi
from .chat import record_tools
from .parts import content_parts

__all__ = [
    "FINAL_EVENTS",
    "PENDING",
    "RESPONSES",
    "failure_of",
    "instruction_parts",
    "output_messages",
    "response_finish_reasons",
]

FINAL_EVENTS: Final = ("response.completed", "response.incomplete", "response.failed")
"""The last event of a stream, which holds the whole response."""
PENDING: Final = ("queued", "in_progress")
"""The states of an incomplete response."""


_CALLS: Final = ("function_call", "custom_tool_call")
_OUTPUTS: Final = ("function_call_output", "custom_tool_call_output")


def instruction_parts(instructions: Any) -> list[Part]:
    """Return the parts of a request's ``instructions``."""
    if isinstance(instructions, str):
        return content_parts(instructions)
    return [part for item in instructions or () for part in _item(item)[1]]


def _input(sent: Any) -> Items:
    """Return the messages of ``input``: a string, or items in the order sent."""
    if isinstance(sent, str):
        return Items([{"role": "user", "content": sent}], _message)
    return Items(list(sent or ()), _message)


def _message(item: Any) -> Message:
    role, parts = _item(item)
    return {"role": role, "parts": parts}


def output_messages(output: Iterable[Any], reasons: tuple[str, ...]) -> list[Message]:
    """Return the items of a response as one message; an empty list if they have no parts."""
    parts = [part for item in output for part in _item(item)[1]]
    return with_finish_reasons([message("assistant", parts)], reasons) if parts else []


def _item(item: Any) -> tuple[str, list[Part]]:
    kind = text(item, "type") or "message"
    if kind == "message":
        return text(item, "role") or "user", content_parts(field(item, "content"))
    if kind in _OUTPUTS:
        return "tool", [_tool_output(item)]
    if kind in _CALLS:
        return "assistant", [_call(item)]
    if kind == "reasoning":
        return "assistant", _reasoning(item)
    if kind == "compaction":
        return "assistant", [without_none({"type": "compaction", "id": text(item, "id")})]
    if kind == "image_generation_call":
        return "assistant", _image(item)
    if kind.endswith("_call"):
        return "assistant", [_server_call(item, kind)]
    return "assistant", [{"type": "generic", "generic_type": kind}]


def _call(item: Any) -> Part:
    arguments = field(item, "arguments")
    called_with = field(item, "input") if arguments is None else arguments
    return tool_call(text(item, "call_id"), text(item, "name"), called_with)


def _tool_output(item: Any) -> Part:
    output = field(item, "output")
    response = output if isinstance(output, str) else content_parts(output)
    return tool_call_response(text(item, "call_id"), response)


def _reasoning(item: Any) -> list[Part]:
    thoughts = [*items(item, "content"), *items(item, "summary")]
    texts = [text(thought, "text") for thought in thoughts]
    return [reasoning_part(one) for one in texts if one]


def _image(item: Any) -> list[Part]:
    result = text(item, "result")
    if not result:
        return []
    mime_type = f"image/{text(item, 'output_format') or 'png'}"
    return [media.part_from_base64(result, mime_type, Modality.IMAGE.value)]


_SERVER_FIELDS: Final = ("action", "queries", "code", "name", "arguments", "server_label", "status")


def _server_call(item: Any, kind: str) -> Part:
    """Return a tool call that the provider ran: web search, file search, code interpreter, MCP."""
    name = kind.removesuffix("_call")
    details: Part = {"type": name}
    for key in _SERVER_FIELDS:
        value = field(item, key)
        if value is not None:
            dump = getattr(value, "model_dump", None)
            details[key] = dump(mode="json", exclude_none=True) if dump else value
    call: Part = {"type": "server_tool_call", "id": text(item, "id"), "name": name}
    return without_none({**call, "server_tool_call": details})


def _record_request(content: Content, body: Body) -> None:
    content.input_messages = lambda: _input(body.get("input"))
    if body.get("instructions"):
        content.system_instructions = lambda: instruction_parts(body["instructions"])
    variables = as_mapping(as_mapping(body.get("prompt")).get("variables"))
    if variables:
        content.prompt_variables = variables
    record_tools(content, body.get("tools"))


def _response_messages(response: Any) -> list[Message]:
    return output_messages(items(response, "output"), response_finish_reasons(response))


_STATUS_REASONS: Final = MappingProxyType(
    {"completed": "stop", "failed": "error", "cancelled": "error"}
)
_INCOMPLETE_REASONS: Final = MappingProxyType({"max_output_tokens": "length"})


def response_finish_reasons(response: Any) -> tuple[str, ...]:
    """Return the finish reason for the status of a response; none while it is in progress.

    The mapping is that of the GenAI semconv, OpenAI "Fetch response".
    """
    status = text(response, "status")
    if status == "incomplete":
        reason = text(field(response, "incomplete_details"), "reason") or "incomplete"
        return (_INCOMPLETE_REASONS.get(reason, reason),)
    if status == "completed" and _calls_tools(items(response, "output")):
        return ("tool_calls",)
    reason = _STATUS_REASONS.get(status) if status is not None else None
    return (reason,) if reason is not None else ()


def failure_of(response: Any) -> tuple[bool, str | None]:
    """Return whether a response failed or was cancelled, and its error code; neither raises."""
    status = text(response, "status")
    if status == "cancelled":
        return True, status
    return status == "failed", text(field(response, "error"), "code")


def _calls_tools(output: Iterable[Any]) -> bool:
    return any(text(item, "type") in _CALLS for item in output)


class _Accumulator:
    """Accumulates the items of a stream that breaks off; a whole stream ends with all of them."""

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        self._deltas: dict[int, list[str]] = {}

    def add(self, chunk: Any) -> None:
        """Add one event."""
        kind = text(chunk, "type")
        index = field(chunk, "output_index") or 0
        if kind == "response.output_item.done":
            self._items[index] = field(chunk, "item")
        elif kind == "response.output_text.delta":
            self._deltas.setdefault(index, []).append(text(chunk, "delta") or "")

    def messages(self) -> list[Message]:
        """Return the complete items, and the text of an incomplete one."""
        partial: dict[int, Any] = {
            index: {"type": "message", "content": "".join(deltas)}
            for index, deltas in self._deltas.items()
        }
        collected = sorted({**partial, **self._items}.items())
        return output_messages((item for _, item in collected), ("error",))


RESPONSES: Final = OpenAIApi(
    Operation.CHAT,
    _record_request,
    _response_messages,
    _Accumulator,
    finish_reasons=response_finish_reasons,
    type=OpenAIApiType.RESPONSES,
)
