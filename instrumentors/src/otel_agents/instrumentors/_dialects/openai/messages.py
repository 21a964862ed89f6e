"""Chat and completion messages as message parts (GenAI semconv, "Message JSON schemas")."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import field, given, items, parsed_arguments, text
from otel_agents.semconv.values import Modality

__all__ = [
    "completion_input",
    "completion_output",
    "content_parts",
    "input_messages",
    "output_messages",
    "tool_definitions",
]

_ANSWERS: Final = ("tool", "function")


def input_messages(messages: Any) -> Items:
    """The messages of a chat request, in the order sent."""
    listed = isinstance(messages, (list, tuple))
    return Items(cast(Any, messages) if listed else list(messages), _message)


def output_messages(choices: Iterable[Any]) -> list[Message]:
    """One message per choice, in the order of the choices."""
    return [_message(field(choice, "message")) for choice in choices]


def completion_input(prompt: Any) -> list[Message]:
    """The prompt of a legacy completion: a string, several, or tokens, which are not text."""
    prompts: list[Any] = [prompt] if isinstance(prompt, str) else list(prompt or ())
    texts = [one for one in prompts if isinstance(one, str)]
    return [{"role": "user", "parts": [_text(one)]} for one in texts]


def completion_output(choices: Iterable[Any]) -> list[Message]:
    """One message per choice of a legacy completion."""
    return [{"role": "assistant", "parts": _texts(field(c, "text"))} for c in choices]


def _message(message: Any) -> Message:
    # Nearly every message is a role and a text: written out, since a long history has many.
    if isinstance(message, dict) and len(cast("Message", message)) == 2:
        plain = cast("Message", message)
        role, content = plain.get("role"), plain.get("content")
        if isinstance(content, str) and content and role not in _ANSWERS:
            return {"role": role, "parts": [{"type": "text", "content": content}]}
    return _converted(cast(Any, message))


def _converted(message: Any) -> Message:
    role = text(message, "role") or "assistant"
    if role in _ANSWERS:
        answer: Part = {
            "type": "tool_call_response",
            "id": text(message, "tool_call_id"),
            "response": _tool_response(field(message, "content")),
        }
        return {"role": "tool", "parts": [given(answer)]}
    converted: Message = {"role": role, "parts": _parts(message)}
    name = text(message, "name")
    if name:
        converted["name"] = name
    return converted


def _parts(message: Any) -> list[Part]:
    parts: list[Part] = []
    for key in ("reasoning_content", "reasoning"):
        thought = text(message, key)
        if thought:
            parts.append({"type": "reasoning", "content": thought})
            break
    parts += content_parts(field(message, "content"))
    parts += _refusal(text(message, "refusal"))
    audio = field(message, "audio")
    if audio is not None:
        parts += _audio(audio)
    calls = list(items(message, "tool_calls"))
    parts += [_tool_call(call) for call in calls]
    function = field(message, "function_call")
    if function is not None and not calls:
        parts.append(_function_call(None, function))
    return parts


def content_parts(content: Any) -> list[Part]:
    """The parts of a message's content: a string, or a list of typed parts."""
    if content is None or isinstance(content, str):
        return _texts(content)
    return [_content_part(part) for part in content]


def _content_part(part: Any) -> Part:
    if isinstance(part, str):
        return _text(part)
    kind = text(part, "type") or "text"
    if kind in ("text", "input_text", "output_text", "summary_text", "reasoning_text"):
        return _text(field(part, "text") or "")
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
    if not parts and text(audio, "id"):  # an earlier answer, referred to
        parts = [_file_id(text(audio, "id"), Modality.AUDIO)]
    return parts + _texts(text(audio, "transcript"))


def _tool_call(call: Any) -> Part:
    custom = field(call, "custom")
    if custom is not None:
        return given(
            {
                "type": "tool_call",
                "id": text(call, "id"),
                "name": text(custom, "name") or "",
                "arguments": field(custom, "input"),
            }
        )
    return _function_call(text(call, "id"), field(call, "function"))


def _function_call(call_id: str | None, function: Any) -> Part:
    return given(
        {
            "type": "tool_call",
            "id": call_id,
            "name": text(function, "name") or "",
            "arguments": parsed_arguments(field(function, "arguments")),
        }
    )


def _tool_response(content: Any) -> Any:
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


def _text(content: Any) -> Part:
    return {"type": "text", "content": content}


def _texts(content: str | None) -> list[Part]:
    return [_text(content)] if content else []


def tool_definitions(tools: Iterable[Any]) -> list[Part]:
    """The tools offered: type and name, as the conventions record them by default."""
    definitions: list[Part] = []
    for tool in tools:
        kind = text(tool, "type") or "function"
        named = field(tool, kind) if isinstance(field(tool, kind), dict) else tool
        name = text(named, "name") or text(tool, "server_label") or kind
        definitions.append({"type": kind, "name": name})
    return definitions
