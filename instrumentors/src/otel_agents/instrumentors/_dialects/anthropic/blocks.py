"""Content blocks of Anthropic's API as message parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._dialects.api import Part
from otel_agents.instrumentors._dialects.fields import (
    field,
    fields_of,
    items,
    listed,
    text,
    without_none,
)
from otel_agents.instrumentors._dialects.parts import (
    reasoning_part,
    text_part,
    tool_call,
    tool_call_response,
)
from otel_agents.semconv.values import Modality

__all__ = ["parts", "tool_result"]

_MODALITIES: Final = MappingProxyType({"image": Modality.IMAGE, "document": Modality.DOCUMENT})
_SERVER_RESULT: Final = "_tool_result"
_OPAQUE: Final = "encrypted_"


def parts(content: Any) -> list[Part]:
    """Return the parts of a content, which is a string or a list of blocks.

    The SDK takes an iterator of blocks too: that can be read only once, by the SDK.
    """
    if isinstance(content, str):
        return [text_part(content)] if content else []
    return [_part(block) for block in listed(content)]


def _part(block: Any) -> Part:
    if isinstance(block, str):
        return text_part(block)
    block = fields_of(block)
    kind = text(block, "type") or "text"
    convert = _CONVERSIONS.get(kind)
    if convert is not None:
        return convert(block)
    modality = _MODALITIES.get(kind)
    if modality is not None:
        return _medium(field(block, "source"), modality.value)
    if kind.endswith(_SERVER_RESULT):
        return _server_response(block, kind)
    return {"type": "generic", "generic_type": kind}


def _text(block: Any) -> Part:
    part = text_part(field(block, "text") or "")
    citations = [_plain(citation) for citation in items(block, "citations")]
    return {**part, "citations": citations} if citations else part


def _thinking(block: Any) -> Part:
    return reasoning_part(field(block, "thinking") or "")


def _tool_use(block: Any) -> Part:
    return tool_call(text(block, "id"), text(block, "name"), field(block, "input"), parse=False)


def _tool_result(block: Any) -> Part:
    return tool_call_response(text(block, "tool_use_id"), tool_result(field(block, "content")))


def tool_result(content: Any) -> Any:
    """Return the result of a tool: its text, or its parts if they are not all text."""
    converted = parts(content)
    if all(part["type"] == "text" for part in converted):
        return "".join(part["content"] for part in converted)
    return converted


def _server_tool_use(block: Any) -> Part:
    """Return a call that the provider ran: of a tool of its own, or of a remote MCP server."""
    name = text(block, "name") or ""
    server = text(block, "server_name")
    details = {
        "type": "mcp" if server else name,
        "server_name": server,
        "arguments": _plain(field(block, "input")),
    }
    return without_none(
        {
            "type": "server_tool_call",
            "id": text(block, "id"),
            "name": name,
            "server_tool_call": without_none(details),
        }
    )


def _server_response(block: Any, kind: str) -> Part:
    details = {
        "type": kind.removesuffix(_SERVER_RESULT),
        "content": _plain(field(block, "content")),
        "is_error": field(block, "is_error") or None,
    }
    return without_none(
        {
            "type": "server_tool_call_response",
            "id": text(block, "tool_use_id"),
            "server_tool_call_response": without_none(details),
        }
    )


def _compaction(block: Any) -> Part:
    return without_none({"type": "compaction", "content": text(block, "content")})


def _search_result(block: Any) -> Part:
    return without_none(
        {
            "type": "generic",
            "generic_type": "search_result",
            "source": text(block, "source"),
            "title": text(block, "title"),
            "content": parts(field(block, "content")),
        }
    )


def _upload(block: Any) -> Part:
    file_id = text(block, "file_id") or ""
    return {"type": "file", "modality": Modality.DOCUMENT.value, "file_id": file_id}


_CONVERSIONS: Final[Mapping[str, Callable[[Any], Part]]] = MappingProxyType(
    {
        "text": _text,
        "thinking": _thinking,
        "tool_use": _tool_use,
        "tool_result": _tool_result,
        "server_tool_use": _server_tool_use,
        "mcp_tool_use": _server_tool_use,
        "compaction": _compaction,
        "search_result": _search_result,
        "container_upload": _upload,
    }
)


def _medium(source: Any, modality: str) -> Part:
    kind, mime_type = text(source, "type"), text(source, "media_type")
    if kind == "base64":
        return _data(field(source, "data"), mime_type, modality)
    if kind == "url":
        return media.part_from_url(text(source, "url") or "", modality)
    if kind == "file":
        return {"type": "file", "modality": modality, "file_id": text(source, "file_id") or ""}
    if kind == "content":
        content = parts(field(source, "content"))
        return {"type": "generic", "generic_type": modality, "content": content}
    return text_part(field(source, "data") or "")


def _data(data: Any, mime_type: str | None, modality: str) -> Part:
    """Return the part of base64 text, or of a file, which only the SDK may read."""
    if data is None or isinstance(data, str):
        return media.part_from_base64(data or "", mime_type, modality)
    if isinstance(data, bytes):
        return media.part_from_bytes(data, mime_type, modality)
    return {"type": "blob", "modality": modality, "mime_type": mime_type, "content": ""}


def _plain(value: Any) -> Any:
    """Return a value as JSON has it: without opaque fields, and media as message parts."""
    if value is None or isinstance(value, (str, int, float)):
        return value
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in cast("list[Any]", value)]
    modality = _MODALITIES.get(text(value, "type") or "")
    if modality is not None and field(value, "source") is not None:
        return _medium(field(value, "source"), modality.value)
    fields = fields_of(value).items()
    return {k: _plain(v) for k, v in fields if v is not None and not k.startswith(_OPAQUE)}
