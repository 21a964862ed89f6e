"""Blocks of LangChain's messages, in its own form and in those of providers, as message parts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._dialects.anthropic.blocks import parts as anthropic_parts
from otel_agents.instrumentors._dialects.api import Part
from otel_agents.instrumentors._dialects.fields import as_mapping, listed, text, without_none
from otel_agents.instrumentors._dialects.parts import as_text, reasoning_part, text_part

__all__ = ["content_parts", "tool_result"]

_Fields = Mapping[str, Any]

_MEDIA: Final = MappingProxyType(
    {
        **dict.fromkeys(("image", "image_url", "input_image"), "image"),
        **dict.fromkeys(("audio", "input_audio"), "audio"),
        **dict.fromkeys(("video", "video_url"), "video"),
        **dict.fromkeys(("file", "input_file", "document", "media"), "document"),
    }
)
"""Modalities of blocks of content, by their types."""
_CALLS: Final = ("tool_use", "tool_call", "function_call")
"""Calls of tools, which a message has in a list of their own."""
_ANTHROPIC: Final = ("server_tool_use", "mcp_tool_use")
_NESTED: Final = ("source", "file", "input_audio", "image_url", "video_url")
_URLS: Final = ("url", "image_url", "file_url", "video_url", "file_uri", "file_data")
_DATA: Final = ("base64", "data", "file_data", "bytes")
_TYPES: Final = ("mime_type", "media_type")


def content_parts(content: Any) -> list[Part]:
    """Return the parts of a message's content, without the calls of tools."""
    if isinstance(content, str):
        return [text_part(content)] if content else []
    return [part for block in listed(content) if (part := _part(block)) is not None]


def tool_result(content: Any) -> Any:
    """Return the result of a tool: as it is, or as parts if it is a list of blocks."""
    blocks = cast("list[Any]", listed(content))
    if isinstance(content, str) or not blocks or not all(map(_is_block, blocks)):
        return content
    return content_parts(blocks)


def _is_block(value: Any) -> bool:
    return isinstance(as_mapping(value).get("type"), str)


def _part(block: Any) -> Part | None:
    if isinstance(block, str):
        return text_part(block)
    fields = as_mapping(block)
    kind = str(fields.get("type"))
    if kind in _CALLS:
        return None
    if kind in _ANTHROPIC or (kind.endswith("_tool_result") and kind != "server_tool_result"):
        return anthropic_parts([block])[0]
    modality = _MEDIA.get(kind)
    if modality is not None:
        return _medium(fields, kind, modality)
    convert = _CONVERSIONS.get(kind)
    return convert(fields) if convert is not None else {"type": "generic", "generic_type": kind}


def _medium(fields: _Fields, kind: str, modality: str) -> Part:
    """Return a medium that is a URL, data or a file; the data may be one level deeper."""
    known = dict(fields)
    for name in _NESTED:
        known.update(as_mapping(fields.get(name)))
    mime_type = _first(known, _TYPES, str)
    if kind == "media" and mime_type:
        modality = _of_mime_type(mime_type)
    url, data = _first(known, _URLS, str), _first(known, _DATA, (str, bytes))
    if isinstance(url, str) and (url != known.get("file_data") or media.is_data_url(url)):
        return media.part_from_url(url, modality)
    if isinstance(data, bytes):
        return media.part_from_bytes(data, mime_type, modality)
    if isinstance(data, str):
        if known.get("source_type", known.get("type")) == "text":
            return text_part(data)
        return media.part_from_base64(data, mime_type, modality)
    file_id = text(known, "file_id") or text(known, "id")
    if file_id:
        return {"type": "file", "modality": modality, "file_id": file_id}
    return {"type": "generic", "generic_type": kind}


def _first(fields: _Fields, names: Sequence[str], kinds: Any) -> Any:
    found = (fields.get(name) for name in names)
    return next((value for value in found if value and isinstance(value, kinds)), None)


def _of_mime_type(mime_type: str) -> str:
    major = mime_type.partition("/")[0]
    return major if major in ("image", "audio", "video") else "document"


def _text(fields: _Fields) -> Part:
    return text_part(as_text(fields.get("text") or fields.get("refusal") or ""))


def _reasoning(fields: _Fields) -> Part:
    """Return a model's reasoning, which may be in several pieces."""
    found = next((fields[name] for name in _REASONING if fields.get(name)), "")
    if isinstance(found, str):
        return reasoning_part(found)
    several: Sequence[Any] = listed(found) or [found]
    return reasoning_part("\n".join(text(one, "text") or "" for one in several))


_REASONING: Final = ("reasoning", "thinking", "reasoning_content", "summary", "content")


def _server_call(fields: _Fields) -> Part:
    name = text(fields, "name") or ""
    call = without_none({"type": name, "arguments": fields.get("args")})
    return without_none(
        {
            "type": "server_tool_call",
            "id": text(fields, "id"),
            "name": name,
            "server_tool_call": call,
        }
    )


def _server_result(fields: _Fields) -> Part:
    status = text(fields, "status")
    response = {"type": "tool", "content": fields.get("output"), "status": status}
    return without_none(
        {
            "type": "server_tool_call_response",
            "id": text(fields, "tool_call_id"),
            "server_tool_call_response": without_none(response),
        }
    )


_CONVERSIONS: Final[Mapping[str, Callable[[_Fields], Part]]] = MappingProxyType(
    {
        **dict.fromkeys(("text", "text-plain", "input_text", "output_text", "refusal"), _text),
        **dict.fromkeys(("reasoning", "thinking", "reasoning_content"), _reasoning),
        "server_tool_call": _server_call,
        "server_tool_result": _server_result,
    }
)
