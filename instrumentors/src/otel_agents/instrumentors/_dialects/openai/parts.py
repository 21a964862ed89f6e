"""Converts OpenAI's messages to parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._dialects.api import Part
from otel_agents.instrumentors._dialects.fields import field, known_fields, listed, text
from otel_agents.instrumentors._dialects.parts import text_part, tool_call
from otel_agents.semconv.values import Modality

__all__ = ["content_parts", "message_parts", "text_parts", "tool_definitions", "tool_response"]


_FIELDS: Final = (
    *("content", "reasoning_content", "reasoning", "refusal", "audio"),
    *("tool_calls", "function_call"),
)
_CALL: Final = ("id", "custom", "function")
_FUNCTION: Final = ("name", "arguments")


def message_parts(message: Any) -> list[Part]:
    """Return the parts of a message."""
    fields = known_fields(message, _FIELDS)  # a hot path of agents: most are missing
    parts: list[Part] = []
    for key in ("reasoning_content", "reasoning"):
        thought = fields.get(key)
        if thought and isinstance(thought, str):
            parts.append({"type": "reasoning", "content": thought})
            break
    content = fields.get("content")
    if content:
        parts += content_parts(content)
    if fields.get("refusal") is not None:
        parts += _refusal(text(fields, "refusal"))
    audio = fields.get("audio")
    if audio is not None:
        parts += _audio(audio)
    calls = fields.get("tool_calls")
    calls = listed(calls) if calls else ()
    for call in calls:
        parts.append(_tool_call(call))
    function = fields.get("function_call")
    if function is not None and not calls:
        parts.append(_function_call(None, function))
    return parts


def content_parts(content: Any) -> list[Part]:
    """Return the parts of a message's content, which is a string or a list of typed parts."""
    if content is None or isinstance(content, str):
        return text_parts(content)
    return [_content_part(part) for part in listed(content)]


def _content_part(part: Any) -> Part:
    if isinstance(part, str):
        return text_part(part)
    kind = text(part, "type") or "text"
    if kind in ("text", "input_text", "output_text", "summary_text", "reasoning_text"):
        return text_part(field(part, "text") or "")
    if kind == "refusal":
        return _refusal(text(part, "refusal"))[0]
    if kind in ("image_url", "input_image"):
        return _image(part)
    if kind == "input_audio":
        audio = field(part, "input_audio") or part
        mime_type = f"audio/{text(audio, 'format') or 'wav'}"
        return media.part_from_base64(field(audio, "data") or "", mime_type, Modality.AUDIO.value)
    if kind in ("file", "input_file"):
        return _file(field(part, "file") or part)
    return {"type": "generic", "generic_type": kind}


def _image(part: Any) -> Part:
    image = field(part, "image_url")
    url = image if isinstance(image, str) else text(image, "url")
    if url:
        return media.part_from_url(url, Modality.IMAGE.value)
    return _file_id(text(part, "file_id"), Modality.IMAGE)


def _file(file: Any) -> Part:
    modality = Modality.DOCUMENT
    data, url = text(file, "file_data"), text(file, "file_url")
    if data:
        if data.startswith("data:"):
            return media.part_from_url(data, modality.value)
        return media.part_from_base64(data, "application/octet-stream", modality.value)
    return (
        media.part_from_url(url, modality.value)
        if url
        else _file_id(text(file, "file_id"), modality)
    )


def _file_id(file_id: str | None, modality: Modality) -> Part:
    return {"type": "file", "modality": modality.value, "file_id": file_id or ""}


def _audio(audio: Any) -> list[Part]:
    data = text(audio, "data")
    parts = [media.part_from_base64(data, "audio/wav", Modality.AUDIO.value)] if data else []
    if not parts and text(audio, "id"):  # a reference to an earlier response
        parts = [_file_id(text(audio, "id"), Modality.AUDIO)]
    return parts + text_parts(text(audio, "transcript"))


def _tool_call(call: Any) -> Part:
    fields = known_fields(call, _CALL)
    custom = fields.get("custom")
    if custom is not None:
        return tool_call(
            text(fields, "id"), text(custom, "name"), field(custom, "input"), parse=False
        )
    return _function_call(text(fields, "id"), fields.get("function"))


def _function_call(call_id: str | None, function: Any) -> Part:
    fields = known_fields(function, _FUNCTION)
    return tool_call(call_id, text(fields, "name"), fields.get("arguments"))


def tool_response(content: Any) -> Any:
    """Return the result of a tool: a string, or its parts if they are not all text."""
    if content is None or isinstance(content, str):
        return content or ""
    parts = content_parts(content)
    if all(part["type"] == "text" for part in parts):
        return "".join(part["content"] for part in parts)
    return parts


def _refusal(refusal: str | None) -> list[Part]:
    if not refusal:
        return []
    return [{"type": "generic", "generic_type": "refusal", "content": refusal}]


def text_parts(content: str | None) -> list[Part]:
    """Return a text part in a list; an empty list for an empty string."""
    return [text_part(content)] if content else []


def tool_definitions(tools: Iterable[Any]) -> list[Part]:
    """Return type and name of the tools in a request, as the conventions record them by default."""
    definitions: list[Part] = []
    for tool in tools:
        kind = text(tool, "type") or "function"
        named = field(tool, kind) if isinstance(field(tool, kind), dict) else tool
        name = text(named, "name") or text(tool, "server_label") or kind
        definitions.append({"type": kind, "name": name})
    return definitions
