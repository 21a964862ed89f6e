"""Converts Mistral's content to parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._dialects.api import Part
from otel_agents.instrumentors._dialects.fields import field, items, text
from otel_agents.instrumentors._dialects.parts import reasoning_part, text_part
from otel_agents.semconv.values import Modality

__all__ = ["content_parts", "file_part", "tool_definitions", "tool_response"]


def content_parts(content: Any) -> list[Part]:
    """Return the parts of content: text, a chunk, or a list of chunks."""
    if isinstance(content, str):
        return [text_part(content)] if content else []
    if isinstance(content, (list, tuple)):
        return [_part(chunk) for chunk in cast("Iterable[Any]", content)]
    return [_part(content)] if content else []


def _part(chunk: Any) -> Part:
    if isinstance(chunk, str):
        return text_part(chunk)
    kind = text(chunk, "type") or _kind_of(chunk)
    convert = _CONVERTERS.get(kind)
    return convert(chunk) if convert is not None else {"type": "generic", "generic_type": kind}


def _kind_of(chunk: Any) -> str:
    """Return the type of a chunk that names none, which a dict of a request may omit."""
    return next((kind for kind in _CONVERTERS if field(chunk, kind)), "text")


def _text(chunk: Any) -> Part:
    return text_part(text(chunk, "text") or "")


def _thinking(chunk: Any) -> Part:
    thoughts = field(chunk, "thinking")
    if isinstance(thoughts, str):
        return reasoning_part(thoughts)
    return reasoning_part("".join(text(it, "text") or "" for it in items(chunk, "thinking")))


def _image(chunk: Any) -> Part:
    image = field(chunk, "image_url")
    url = image if isinstance(image, str) else text(image, "url")
    return media.part_from_url(url or "", Modality.IMAGE.value)


def _document(chunk: Any) -> Part:
    return media.part_from_url(text(chunk, "document_url") or "", Modality.DOCUMENT.value)


def _file(chunk: Any) -> Part:
    return file_part(text(chunk, "file_id") or "", Modality.DOCUMENT)


def file_part(file_id: str, modality: Modality) -> Part:
    """Return a part for an uploaded file."""
    return {"type": "file", "modality": modality.value, "file_id": file_id}


def _tool_file(chunk: Any) -> Part:
    kind = text(chunk, "file_type")
    is_image = kind is not None and kind.rpartition("/")[2] in _IMAGE_TYPES
    modality = Modality.IMAGE if is_image else Modality.DOCUMENT
    return {**_file(chunk), "modality": modality.value}


_IMAGE_TYPES: Final = ("gif", "jpeg", "jpg", "png", "webp")


def _audio(chunk: Any) -> Part:
    audio = field(chunk, "input_audio")
    data = audio if isinstance(audio, str) else text(audio, "data") or ""
    if data.startswith(("http://", "https://", "data:")):
        return media.part_from_url(data, Modality.AUDIO.value)
    return media.part_from_base64(data, None, Modality.AUDIO.value)


def _citation(chunk: Any) -> Part:
    """Return a source that a tool of the server has found; without a URL it has no place."""
    url = text(chunk, "url")
    if url is None:
        return {"type": "generic", "generic_type": "tool_reference"}
    return media.part_from_url(url, Modality.DOCUMENT.value)


def _reference(chunk: Any) -> Part:
    ids = list(items(chunk, "reference_ids"))
    return {"type": "generic", "generic_type": "reference", "content": ids}


_CONVERTERS: Final[Mapping[str, Callable[[Any], Part]]] = MappingProxyType(
    {
        "text": _text,
        "thinking": _thinking,
        "image_url": _image,
        "document_url": _document,
        "file_id": _file,
        "file": _file,
        "tool_file": _tool_file,
        "input_audio": _audio,
        "tool_reference": _citation,
        "reference": _reference,
    }
)


def tool_response(content: Any) -> Any:
    """Return the result of a tool: a string, or its parts if they are not all text."""
    parts = content_parts(content)
    if all(part["type"] == "text" for part in parts):
        return "".join(part["content"] for part in parts)
    return parts


def tool_definitions(tools: Iterable[Any]) -> list[Part]:
    """Return type and name of the tools in a request, as the conventions record them by default."""
    return [_definition(tool) for tool in tools]


def _definition(tool: Any) -> Part:
    kind = text(tool, "type") or "function"
    name = text(field(tool, kind), "name") or text(tool, "connector_id") or kind
    return {"type": kind, "name": name}
