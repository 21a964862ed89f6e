"""Items of the Responses API as message parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import field, given, items, parsed_arguments, text
from otel_agents.semconv.values import Modality

from .messages import content_parts

__all__ = ["response_input", "response_instructions", "response_output"]


_CALLS: Final = ("function_call", "custom_tool_call")
_OUTPUTS: Final = ("function_call_output", "custom_tool_call_output")


def response_instructions(instructions: Any) -> list[Part]:
    """The ``instructions`` of a request as parts."""
    if isinstance(instructions, str):
        return content_parts(instructions)
    return [part for item in instructions or () for part in _item(item)[1]]


def response_input(given: Any) -> Items:
    """The ``input`` of a request: a string, or items in the order sent."""
    if isinstance(given, str):
        return Items([{"role": "user", "content": given}], _message)
    return Items(list(given or ()), _message)


def _message(item: Any) -> Message:
    role, parts = _item(item)
    return {"role": role, "parts": parts}


def response_output(output: Iterable[Any]) -> list[Message]:
    """The one message that the items of a response make."""
    parts = [part for item in output for part in _item(item)[1]]
    return [{"role": "assistant", "parts": parts}] if parts else []


def _item(item: Any) -> tuple[str, list[Part]]:
    kind = text(item, "type") or "message"
    if kind == "message":
        return text(item, "role") or "user", content_parts(field(item, "content"))
    if kind in _OUTPUTS:
        return "tool", [_output(item)]
    if kind in _CALLS:
        return "assistant", [_call(item)]
    if kind == "reasoning":
        return "assistant", _reasoning(item)
    if kind == "compaction":
        return "assistant", [given({"type": "compaction", "id": text(item, "id")})]
    if kind == "image_generation_call":
        return "assistant", _image(item)
    if kind.endswith("_call"):
        return "assistant", [_server_call(item, kind)]
    return "assistant", [{"type": "generic", "generic_type": kind}]


def _call(item: Any) -> Part:
    arguments = field(item, "arguments")
    return given(
        {
            "type": "tool_call",
            "id": text(item, "call_id"),
            "name": text(item, "name") or "",
            "arguments": parsed_arguments(field(item, "input") if arguments is None else arguments),
        }
    )


def _output(item: Any) -> Part:
    output = field(item, "output")
    response = output if isinstance(output, str) else content_parts(output)
    return given({"type": "tool_call_response", "id": text(item, "call_id"), "response": response})


def _reasoning(item: Any) -> list[Part]:
    thoughts = [*items(item, "content"), *items(item, "summary")]
    texts = [text(thought, "text") for thought in thoughts]
    return [{"type": "reasoning", "content": one} for one in texts if one]


def _image(item: Any) -> list[Part]:
    result = text(item, "result")
    if not result:
        return []
    mime_type = f"image/{text(item, 'output_format') or 'png'}"
    return [media.part_from_base64(result, mime_type, Modality.IMAGE.value)]


_SERVER_FIELDS: Final = ("action", "queries", "code", "name", "arguments", "server_label", "status")


def _server_call(item: Any, kind: str) -> Part:
    """A tool that the provider ran itself: web search, file search, code interpreter, MCP."""
    name = kind.removesuffix("_call")
    details: Part = {"type": name}
    for key in _SERVER_FIELDS:
        value = field(item, key)
        if value is not None:
            dump = getattr(value, "model_dump", None)
            details[key] = dump(mode="json", exclude_none=True) if dump else value
    call: Part = {"type": "server_tool_call", "id": text(item, "id"), "name": name}
    return given({**call, "server_tool_call": details})
