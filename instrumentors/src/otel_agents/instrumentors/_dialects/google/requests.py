"""Attributes and content of a request: arguments of the SDK's methods, or the JSON that is sent."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.messages import TextMessage
from otel_agents.instrumentors._core.encoding.plain import kind_of
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import Body, fields_of, known_numbers
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import OutputType

from .parts import message_parts
from .spellings import both_spellings, field, items, text

__all__ = [
    "inference_attributes",
    "input_messages",
    "message_of",
    "record_request",
    "setting_of",
    "text_message_of",
]

_NUMBERS: Final[Mapping[str, tuple[str, type[int | float]]]] = both_spellings(
    {
        "temperature": (attr.GEN_AI_REQUEST_TEMPERATURE, float),
        "top_p": (attr.GEN_AI_REQUEST_TOP_P, float),
        "top_k": (attr.GEN_AI_REQUEST_TOP_K, int),
        "frequency_penalty": (attr.GEN_AI_REQUEST_FREQUENCY_PENALTY, float),
        "presence_penalty": (attr.GEN_AI_REQUEST_PRESENCE_PENALTY, float),
        "seed": (attr.GEN_AI_REQUEST_SEED, int),
        "max_output_tokens": (attr.GEN_AI_REQUEST_MAX_TOKENS, int),
    }
)
_ROLES: Final = MappingProxyType({"model": "assistant", "function": "tool"})
_MODALITIES: Final = MappingProxyType(
    {"IMAGE": OutputType.IMAGE.value, "AUDIO": OutputType.SPEECH.value}
)
_FORMATS: Final = MappingProxyType(
    {
        "application/json": OutputType.JSON.value,
        "text/plain": OutputType.TEXT.value,
        "text/x.enum": OutputType.TEXT.value,
    }
)
_SCHEMAS: Final = ("response_schema", "response_json_schema")
_SHAPED: Final = both_spellings(
    dict.fromkeys(
        (
            *("stop_sequences", "candidate_count", "number_of_images", "thinking_config"),
            *("response_modalities", "response_mime_type", *_SCHEMAS),
        )
    )
)
"""Settings whose attributes are renamed, or recorded under a condition."""


def setting_of(body: Body, name: str) -> Any:
    """Return a setting, from the SDK's ``config`` or from JSON, which has two levels."""
    if "config" in body:
        return field(body["config"], name)
    value = field(body, name)
    return field(field(body, "generation_config"), name) if value is None else value


def inference_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of a generation."""
    config = body["config"] if "config" in body else field(body, "generation_config")
    settings = fields_of(config)
    attributes, is_shaped = known_numbers(settings, _NUMBERS, _SHAPED)
    if body.get("stream"):
        attributes[attr.GEN_AI_REQUEST_STREAM] = True
    if is_shaped:
        attributes.update(_shaped(settings))
    return attributes


def _shaped(config: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of `_SHAPED`."""
    attributes: dict[str, Any] = {}
    stop = tuple(map(str, items(config, "stop_sequences")))
    if stop:
        attributes[attr.GEN_AI_REQUEST_STOP_SEQUENCES] = stop
    for name in ("candidate_count", "number_of_images"):
        choices = field(config, name)
        if isinstance(choices, int) and choices != 1:
            attributes[attr.GEN_AI_REQUEST_CHOICE_COUNT] = choices
    level = text(field(config, "thinking_config"), "thinking_level")
    if level is not None:
        attributes[attr.GEN_AI_REQUEST_REASONING_LEVEL] = level
    output_type = _output_type(config)
    if output_type is not None:
        attributes[attr.GEN_AI_OUTPUT_TYPE] = output_type
    return attributes


def _output_type(config: dict[str, Any]) -> str | None:
    modalities = (str(getattr(one, "value", one)) for one in items(config, "response_modalities"))
    for modality in modalities:
        known = _MODALITIES.get(modality.upper())
        if known is not None:
            return known
    mime_type = text(config, "response_mime_type")
    if mime_type is None and any(field(config, name) is not None for name in _SCHEMAS):
        return OutputType.JSON.value
    return _FORMATS.get(mime_type or "")


def record_request(content: Content, body: Body) -> None:
    """Set the content of a request: contents, system instruction and tools."""
    content.input_messages = lambda: input_messages(body.get("contents"))
    instruction = setting_of(body, "system_instruction")
    if instruction:
        content.system_instructions = lambda: _instruction_parts(instruction)
    tools = setting_of(body, "tools")
    if tools:
        content.tool_definitions = lambda: [one for tool in tools for one in _definitions(tool)]


def _instruction_parts(instruction: Any) -> list[Part]:
    if type(instruction) is not str and _is_content(instruction):
        return message_parts(field(instruction, "parts"))
    return message_parts(instruction)


def input_messages(contents: Any) -> Items:
    """Return the messages of ``contents``, which has parts too: the SDK puts them into contents."""
    if contents is None:
        return Items([], message_of)
    if not isinstance(contents, (list, tuple)):
        return Items([contents], message_of, text_message_of)
    listed = cast("list[Any]", contents)
    if all(map(_is_content, listed)):
        return Items(listed, message_of, text_message_of)
    return Items(_grouped(listed), message_of)


def _grouped(contents: Iterable[Any]) -> list[Any]:
    """Return contents, and lists of the parts that follow each other."""
    grouped: list[Any] = []
    parts: list[Any] = []
    for one in contents:
        if _is_content(one) or isinstance(one, (list, tuple)):
            parts = []
            grouped.append(cast(Any, one))
            continue
        if not parts:
            grouped.append(parts)
        parts.append(one)
    return grouped


def _is_content(one: Any) -> bool:
    if isinstance(one, dict):
        return "parts" in one or "role" in one
    return hasattr(one, "parts")


def text_message_of(content: Any) -> TextMessage | None:
    """Return a content that is one text, as a message; None for any other."""
    if kind_of(content) is str:
        return ("user", content, None) if content else None
    fields = fields_of(content)
    role: Any = fields.get("role") or "user"
    parts: Any = fields.get("parts")
    if kind_of(parts) is not list or len(parts) != 1 or kind_of(role) is not str:
        return None
    part = fields_of(parts[0])
    known = part.get("text")
    if known and kind_of(known) is str and not part.get("thought"):
        return _ROLES.get(role, role), known, None
    return None


def message_of(content: Any) -> Message:
    """Return the message of one content, or of parts without one, which are the user's."""
    if type(content) is str:  # a hot path
        return {"role": "user", "parts": [{"type": "text", "content": content}]}
    if not _is_content(content):
        return _message("user", message_parts(content))
    role = text(content, "role") or "user"
    return _message(_ROLES.get(role, role), message_parts(field(content, "parts")))


def _message(role: str, parts: list[Part]) -> Message:
    for part in parts:
        if part["type"] != "tool_call_response":
            return {"role": role, "parts": parts}
    return {"role": "tool" if parts else role, "parts": parts}


def _definitions(tool: Any) -> list[Part]:
    """Return the tools in ``tool``: a function, or functions and Google's own tools."""
    if callable(tool) and not hasattr(tool, "function_declarations"):
        return [_function(getattr(tool, "__name__", type(tool).__name__))]
    functions = [_function(text(one, "name")) for one in items(tool, "function_declarations")]
    others = [name for name, value in fields_of(tool).items() if value is not None]
    return functions + [
        {"type": name, "name": name}
        for name in others
        if name not in ("function_declarations", "functionDeclarations")
    ]


def _function(name: str | None) -> Part:
    return {"type": "function", "name": name or ""}
