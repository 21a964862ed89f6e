"""The parts of a content as message parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._dialects.api import Part
from otel_agents.instrumentors._dialects.fields import fields_of, without_none
from otel_agents.instrumentors._dialects.parts import (
    text_part,
    tool_call,
    tool_call_response,
)
from otel_agents.semconv.values import Modality

from .spellings import field, text

__all__ = ["image_part", "message_parts", "server_tool_call", "server_tool_call_response"]

_MODALITIES: Final = (Modality.IMAGE.value, Modality.VIDEO.value, Modality.AUDIO.value)
_CODE: Final = "code_execution"


def message_parts(parts: Any) -> list[Part]:
    """Return the message parts of one part, or of a list of parts: strings, dicts, SDK objects."""
    if parts is None:
        return []
    listed = cast("Iterable[Any]", parts) if isinstance(parts, (list, tuple)) else (parts,)
    return list(map(_part, listed))


def _part(part: Any) -> Part:
    if isinstance(part, str):
        return text_part(part)
    fields = fields_of(part)
    content = fields.get("text")
    if isinstance(content, str):
        return {"type": "reasoning" if fields.get("thought") else "text", "content": content}
    for name, convert in _CONVERSIONS:
        value = field(part, name)
        if value is not None:
            return convert(value)
    return _medium(part)


def _function_call(call: Any) -> Part:
    return tool_call(text(call, "id"), text(call, "name"), field(call, "args"), parse=False)


def _function_response(response: Any) -> Part:
    """Return a tool's result; a model without call ids matches it by its name."""
    converted = tool_call_response(text(response, "id"), field(response, "response"))
    return without_none({**converted, "name": text(response, "name")})


def _executable_code(code: Any) -> Part:
    details = {"language": _lower(code, "language"), "code": text(code, "code")}
    return server_tool_call(_CODE, details, text(code, "id"))


def _code_result(result: Any) -> Part:
    details = {"outcome": _lower(result, "outcome"), "output": text(result, "output")}
    return server_tool_call_response(_CODE, details, text(result, "id"))


def _server_call(call: Any) -> Part:
    name, arguments = _lower(call, "tool_type"), field(call, "args")
    return server_tool_call(name or "tool", {"arguments": arguments}, text(call, "id"))


def _server_response(response: Any) -> Part:
    name, result = _lower(response, "tool_type"), field(response, "response")
    return server_tool_call_response(name or "tool", {"response": result}, text(response, "id"))


def server_tool_call(name: str, details: dict[str, Any], call_id: str | None = None) -> Part:
    """Return a call of a tool that the provider runs."""
    call = {"type": name, **without_none(details)}
    return without_none(
        {"type": "server_tool_call", "id": call_id, "name": name, "server_tool_call": call}
    )


def server_tool_call_response(
    name: str, details: dict[str, Any], call_id: str | None = None
) -> Part:
    """Return the result of a tool that the provider ran."""
    response = {"type": name, **without_none(details)}
    return without_none(
        {
            "type": "server_tool_call_response",
            "id": call_id,
            "server_tool_call_response": response,
        }
    )


def _blob(blob: Any) -> Part:
    return _data_part(field(blob, "data"), text(blob, "mime_type"))


def _file(file: Any) -> Part:
    uri, mime_type = text(file, "file_uri") or text(file, "uri"), text(file, "mime_type")
    part = media.part_from_url(uri or "", _modality(mime_type))
    return {**part, "mime_type": mime_type} if mime_type else part


_CONVERSIONS: Final[tuple[tuple[str, Callable[[Any], Part]], ...]] = (
    ("function_call", _function_call),
    ("function_response", _function_response),
    ("inline_data", _blob),
    ("file_data", _file),
    ("executable_code", _executable_code),
    ("code_execution_result", _code_result),
    ("tool_call", _server_call),
    ("tool_response", _server_response),
)


def _medium(part: Any) -> Part:
    """Return a part that the SDK converts before it sends it: a file, or a picture of Pillow's."""
    if text(part, "file_uri") or text(part, "uri"):
        return _file(part)
    if hasattr(part, "tobytes"):  # its encoding costs more than a call may
        mime_type = text(part, "format")
        return {
            "type": "blob",
            "modality": Modality.IMAGE.value,
            "mime_type": f"image/{mime_type.lower()}" if mime_type else None,
            "content": "",
        }
    return {"type": "generic", "generic_type": "part"}


def image_part(image: Any) -> Part:
    """Return a picture that is data or a reference to Google Cloud Storage."""
    uri = text(image, "gcs_uri")
    if uri is not None:
        return media.part_from_url(uri, Modality.IMAGE.value)
    data = field(image, "image_bytes") or field(image, "bytes_base64_encoded")
    return _data_part(data, text(image, "mime_type") or "image/png")


def _data_part(data: Any, mime_type: str | None) -> Part:
    modality = _modality(mime_type)
    if isinstance(data, str):
        return media.part_from_base64(data, mime_type, modality)
    return media.part_from_bytes(data or b"", mime_type, modality)


def _modality(mime_type: str | None) -> str:
    kind = (mime_type or "").partition("/")[0]
    return kind if kind in _MODALITIES else Modality.DOCUMENT.value


def _lower(holder: Any, name: str) -> str | None:
    value = text(holder, name)
    return value.lower() if value is not None else None
