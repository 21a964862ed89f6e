"""The Responses API: items, streams, and a status instead of finish reasons."""

from __future__ import annotations

from collections.abc import Iterable
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import (
    Body,
    as_mapping,
    field,
    fields_of,
    items,
    known_fields,
    listed,
    parsed_arguments,
    plain,
    text,
    without_none,
)
from otel_agents.instrumentors._dialects.parts import (
    items_of_text,
    message,
    reasoning_part,
    tool_call,
    tool_call_response,
    with_finish_reasons,
)
from otel_agents.semconv.values import Modality, OpenAIApiType, Operation

from .api import OpenAIApi
from .chat import record_tools
from .parts import content_parts, text_parts
from .response_texts import text_of_input, text_of_output

__all__ = [
    "COMPLETED",
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
COMPLETED: Final = "completed"
"""The state of a response without an error."""
_FAILED: Final = ("failed", "cancelled")
_STATUS_FIELDS: Final = ("status", "output", "incomplete_details")
_TYPE: Final = ("type",)

_CALLS: Final = ("function_call", "custom_tool_call")
_CLIENT_CALLS: Final = ("apply_patch_call", "computer_call", "local_shell_call", "shell_call")
"""Calls of OpenAI's tools that the application executes, except a shell in OpenAI's container."""
_CONTAINER: Final = "container_reference"


def instruction_parts(instructions: Any) -> list[Part]:
    """Return the parts of a request's ``instructions``."""
    if isinstance(instructions, str):
        return text_parts(instructions)
    return [part for item in instructions or () for part in _item(item)[1]]


def _input(sent: Any) -> Items:
    """Return the messages of ``input``: a string, or items in the order sent."""
    if isinstance(sent, str):
        return Items([{"role": "user", "content": sent}], _message, text_of_input)
    return Items(list(sent or ()), _message, text_of_input)


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
    if kind.endswith("_call_output"):
        return "tool", [_tool_output(item)]
    if kind in _CALLS:
        return "assistant", [_call(item)]
    if kind in _CLIENT_CALLS and text(field(item, "environment"), "type") != _CONTAINER:
        return "assistant", [_client_call(item, kind)]
    if kind == "reasoning":
        return "assistant", _reasoning(item)
    if kind == "compaction":
        return "assistant", [without_none({"type": "compaction", "id": text(item, "id")})]
    if kind == "image_generation_call":
        return "assistant", _image(item)
    if kind.endswith("_call"):
        return "assistant", _server_call(item, kind)
    return "assistant", [{"type": "generic", "generic_type": kind}]


def _call(item: Any) -> Part:
    arguments = field(item, "arguments")
    called_with = field(item, "input") if arguments is None else arguments
    return tool_call(text(item, "call_id"), text(item, "name"), called_with)


def _client_call(item: Any, kind: str) -> Part:
    """Return a call of a computer, a shell or a patch: what to do is an object."""
    found = (field(item, name) for name in ("action", "actions", "operation"))
    arguments = next((one for one in found if one is not None), None)
    call_id = text(item, "call_id") or text(item, "id")
    return tool_call(call_id, kind.removesuffix("_call"), _plain(arguments), parse=False)


def _tool_output(item: Any) -> Part:
    output = field(item, "output")
    kind = text(item, "type")
    if isinstance(output, str) or output is None:
        response = output if output is not None else field(item, "status")
    elif kind == "computer_call_output":
        response = content_parts([{**fields_of(output), "type": "input_image"}])
    elif kind == "shell_call_output":
        response = _plain(output)
    else:
        response = content_parts(output)
    return tool_call_response(text(item, "call_id") or text(item, "id"), response)


def _plain(value: Any) -> Any:
    """Return SDK objects, also those in a list, as JSON has them."""
    is_list = isinstance(value, list)
    return [plain(one) for one in cast("list[Any]", value)] if is_list else plain(value)


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


_CALL_FIELDS: Final = ("action", "queries", "code", "arguments", "server_label", "status")
_RESULT_FIELDS: Final = ("results", "outputs", "output", "error")


def _server_call(item: Any, kind: str) -> list[Part]:
    """Return a tool call that the provider ran, and its result if the item has it.

    Web search, file search, code interpreter, and tools of MCP servers, which have names.
    """
    tool, call_id = kind.removesuffix("_call"), text(item, "id")
    call = {name: _plain(field(item, name)) for name in _CALL_FIELDS}
    call["arguments"] = parsed_arguments(call["arguments"])
    parts = [
        without_none(
            {
                "type": "server_tool_call",
                "id": call_id,
                "name": text(item, "name") or tool,
                "server_tool_call": without_none({"type": tool, **call}),
            }
        )
    ]
    result = without_none({name: _result(field(item, name)) for name in _RESULT_FIELDS})
    if result:
        response: Part = {"type": "server_tool_call_response", "id": call_id}
        parts.append(
            without_none({**response, "server_tool_call_response": {"type": tool, **result}})
        )
    return parts


def _result(value: Any) -> Any:
    """Return a result; an image that code made is described, not included."""
    if not isinstance(value, list):
        return plain(value)
    return [
        media.part_from_url(text(one, "url") or "", Modality.IMAGE.value)
        if text(one, "type") == "image"
        else plain(one)
        for one in cast("list[Any]", value)
    ]


def _record_request(content: Content, body: Body) -> None:
    # A hot path: what a request does not have is not looked at.
    sent, instructions = body.get("input"), body.get("instructions")
    content.set("input_messages", lambda: _input(sent))
    if instructions:
        content.set("system_instructions", lambda: instruction_parts(instructions))
    prompt, tools = body.get("prompt"), body.get("tools")
    if prompt:
        variables = as_mapping(as_mapping(prompt).get("variables"))
        if variables:
            content.prompt_variables = variables
    if tools:
        record_tools(content, tools)


def _output(response: Any) -> Items | list[Message]:
    """Return the message of a response as content: often it is one of text."""
    output, reasons = items(response, "output"), response_finish_reasons(response)
    only = text_of_output(output[0], reasons[0]) if len(output) == 1 and reasons else None
    return output_messages(output, reasons) if only is None else items_of_text(only)


def _response_messages(response: Any) -> list[Message]:
    return output_messages(items(response, "output"), response_finish_reasons(response))


_INCOMPLETE_REASONS: Final = MappingProxyType({"max_output_tokens": "length"})


def response_finish_reasons(response: Any) -> tuple[str, ...]:
    """Return the finish reason for the status of a response; none while it is in progress.

    The mapping is that of the GenAI semconv, OpenAI "Fetch response".
    """
    fields = known_fields(response, _STATUS_FIELDS)
    status = fields.get("status")
    if status == COMPLETED:  # a hot path: without a call for each item
        for item in listed(fields.get("output")):
            if known_fields(item, _TYPE).get("type") in _CALLS:
                return ("tool_calls",)
        return ("stop",)
    if status == "incomplete":
        reason = text(fields.get("incomplete_details"), "reason") or "incomplete"
        return (_INCOMPLETE_REASONS.get(reason, reason),)
    return ("error",) if status in _FAILED else ()


def failure_of(response: Any) -> tuple[bool, str | None]:
    """Return whether a response failed or was cancelled, and its error code; neither raises."""
    status = text(response, "status")
    if status == "cancelled":
        return True, status
    return status == "failed", code_in(response, "code")


class _Accumulator:
    """Accumulates the items of a stream that breaks off; a whole stream ends with all of them."""

    def __init__(self) -> None:
        self._items: dict[int, Any] = {}
        self._deltas: dict[int, list[str]] = {}

    def add(self, chunk: Any) -> None:
        """Add one event."""
        fields = fields_of(chunk)
        kind = fields.get("type")
        if kind == "response.output_text.delta":  # nearly always
            index = fields.get("output_index") or 0
            self._deltas.setdefault(index, []).append(text(fields, "delta") or "")
        elif kind == "response.output_item.done":
            self._items[fields.get("output_index") or 0] = fields.get("item")

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
    output=_output,
    type=OpenAIApiType.RESPONSES,
)
