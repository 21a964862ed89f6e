"""Converts Converse's content blocks to parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.messages import TextMessage, message_of_text
from otel_agents.instrumentors._core.encoding.plain import kind_of
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import as_mapping, items, text
from otel_agents.instrumentors._dialects.parts import (
    message,
    reasoning_part,
    text_part,
    tool_call,
    tool_call_response,
)
from otel_agents.semconv.values import Modality

__all__ = ["converted_message", "parts", "text_of", "tool_definitions"]

_DOCUMENTS: Final = MappingProxyType(
    {
        "csv": "text/csv",
        "doc": "application/msword",
        "docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        "html": "text/html",
        "md": "text/markdown",
        "pdf": "application/pdf",
        "txt": "text/plain",
        "xls": "application/vnd.ms-excel",
        "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    }
)


def converted_message(sent: Any) -> Message:
    """Return a message; one with nothing but results of tools has the role ``tool``."""
    known = text_of(sent)
    if known is not None:
        return message_of_text(known)
    converted = parts(items(sent, "content"))
    role = text(sent, "role") or "assistant"
    has_only_results = bool(converted) and all(
        part["type"] == "tool_call_response" for part in converted
    )
    return message("tool" if has_only_results else role, converted)


def text_of(sent: Any) -> TextMessage | None:
    """Return a message that is one text, as nearly all are; None for any other."""
    if kind_of(sent) is dict:
        role, blocks = sent.get("role"), sent.get("content")
        if role and kind_of(role) is str and kind_of(blocks) is list and len(blocks) == 1:
            content = _plain_text(blocks[0])
            if content is not None:
                return role, content, None
    return None


def _plain_text(block: Any) -> str | None:
    """Return the text of a block that has nothing else; None for any other."""
    if kind_of(block) is dict and len(block) == 1:
        content = block.get("text")
        if content and kind_of(content) is str:
            return content
    return None


def parts(blocks: Iterable[Any]) -> list[Part]:
    """Return the parts of content blocks. A block that only marks where to cache has none."""
    found: list[Part] = []
    for block in blocks:
        content = _plain_text(block)
        if content is None:
            found += _converted(as_mapping(block))
        else:
            found.append({"type": "text", "content": content})
    return found


def _converted(block: Mapping[str, Any]) -> list[Part]:
    for kind, value in block.items():
        convert = _CONVERSIONS.get(kind)
        if convert is not None:
            return convert(value)
    return [{"type": "generic", "generic_type": kind} for kind in block if kind != _CACHE_POINT]


_CACHE_POINT: Final = "cachePoint"


def _text(value: Any) -> list[Part]:
    return [text_part(value)] if value else []


def _reasoning(value: Any) -> list[Part]:
    thought = text(as_mapping(value).get("reasoningText"), "text")
    if thought:
        return [reasoning_part(thought)]
    return [{"type": "generic", "generic_type": "redacted_reasoning"}]


def _tool_use(value: Any) -> list[Part]:
    call_id, name, arguments = text(value, "toolUseId"), text(value, "name"), value.get("input")
    if text(value, "type") is None:
        return [tool_call(call_id, name, arguments, parse=False)]
    call = {**as_mapping(arguments), "type": name or ""}
    return [
        {"type": "server_tool_call", "id": call_id, "name": name or "", "server_tool_call": call}
    ]


def _tool_result(value: Any) -> list[Part]:
    call_id, kind, result = text(value, "toolUseId"), text(value, "type"), _result(value)
    if kind is None:
        return [tool_call_response(call_id, result)]
    response = {"type": kind, "result": result}
    return [
        {"type": "server_tool_call_response", "id": call_id, "server_tool_call_response": response}
    ]


def _result(value: Any) -> Any:
    """Return the result of a tool: its text, its JSON, or its parts if it has several."""
    blocks = list(items(value, "content"))
    if len(blocks) == 1 and "json" in blocks[0]:
        return blocks[0]["json"]
    converted = parts(blocks)
    if all(part["type"] == "text" for part in converted):
        return "".join(part["content"] for part in converted)
    return converted


def _json(value: Any) -> list[Part]:
    return [{"type": "generic", "generic_type": "json", "content": value}]


def _cited(value: Any) -> list[Part]:
    """Return the text that citations support, with what they cite."""
    cited = "".join(text(one, "text") or "" for one in items(value, "content"))
    citations = list(items(value, "citations"))
    return [{**text_part(cited), **({"citations": citations} if citations else {})}]


def _guarded(value: Any) -> list[Part]:
    guarded = as_mapping(value)
    if "image" in guarded:
        return _image(guarded["image"])
    return _text(text(guarded.get("text"), "text"))


def _search_result(value: Any) -> list[Part]:
    found = parts(items(value, "content"))
    return [
        {
            "type": "generic",
            "generic_type": "search_result",
            "source": text(value, "source"),
            "title": text(value, "title"),
            "content": "".join(part["content"] for part in found),
        }
    ]


def _image(value: Any) -> list[Part]:
    return _medium(value, f"image/{text(value, 'format')}", Modality.IMAGE.value)


def _audio(value: Any) -> list[Part]:
    return _medium(value, f"audio/{text(value, 'format')}", Modality.AUDIO.value)


def _video(value: Any) -> list[Part]:
    return _medium(value, f"video/{text(value, 'format')}", Modality.VIDEO.value)


def _document(value: Any) -> list[Part]:
    source = as_mapping(as_mapping(value).get("source"))
    written = text(source, "text") or "".join(
        text(one, "text") or "" for one in items(source, "content")
    )
    if written:
        return _text(written)
    mime_type = _DOCUMENTS.get(text(value, "format") or "")
    return _medium(value, mime_type, Modality.DOCUMENT.value)


def _medium(value: Any, mime_type: str | None, modality: str) -> list[Part]:
    source = as_mapping(as_mapping(value).get("source"))
    uri = text(source.get("s3Location"), "uri")
    if uri:
        return [{**media.part_from_url(uri, modality), "mime_type": mime_type}]
    data = source.get("bytes")
    if isinstance(data, str):  # base64, in the body of a model
        return [media.part_from_base64(data, mime_type, modality)]
    if isinstance(data, (bytes, bytearray)):
        return [media.part_from_bytes(bytes(data), mime_type, modality)]
    # A file that the SDK reads; or an image that the model did not create.
    return [{"type": "blob", "modality": modality, "mime_type": mime_type, "content": ""}]


_CONVERSIONS: Final[Mapping[str, Callable[[Any], list[Part]]]] = MappingProxyType(
    {
        "text": _text,
        "reasoningContent": _reasoning,
        "toolUse": _tool_use,
        "toolResult": _tool_result,
        "json": _json,
        "citationsContent": _cited,
        "guardContent": _guarded,
        "searchResult": _search_result,
        "image": _image,
        "audio": _audio,
        "video": _video,
        "document": _document,
    }
)


def tool_definitions(config: Any) -> list[Part]:
    """Return type and name of the tools in a ``toolConfig``; a system tool runs at the provider."""
    definitions: list[Part] = []
    for tool in cast("Iterable[Mapping[str, Any]]", items(config, "tools")):
        for key, kind in (("toolSpec", "function"), ("systemTool", "system_tool")):
            name = text(tool.get(key), "name")
            if name:
                definitions.append({"type": kind, "name": name})
    return definitions
