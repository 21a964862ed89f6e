"""InvokeModel: which wire format a body has, which depends on the model.

The body's own names decide. The model's id may be an ARN that does not name the model, as that of
an application's inference profile, of provisioned throughput or of an imported model.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.anthropic.api import MESSAGES
from otel_agents.instrumentors._dialects.api import Message, ResponseFields, Usage, WireFormat
from otel_agents.instrumentors._dialects.fields import Body, field, items, text
from otel_agents.instrumentors._dialects.parts import message, text_message
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Modality, Operation, OutputType

from . import cohere, completions
from .chat import CHAT
from .converse import NOVA
from .requests import settings_attributes

__all__ = [
    "embeddings_attributes",
    "embeddings_fields",
    "format_of",
    "is_embedding",
    "json_object",
]

_EMBED: Final = "embed"
_STABILITY: Final = "stability."
_NOVA: Final = "amazon.nova"
_EMBEDDINGS_KEYS: Final = frozenset(
    ("embeddingConfig", "embeddingTypes", "embedding_types", "normalize", "texts")
)
_NOVA_KEYS: Final = frozenset(("inferenceConfig", "schemaVersion"))
_IMAGE_KEYS: Final = frozenset(("imageGenerationConfig", "taskType", "text_prompts"))
_PROMPT_KEYS: Final = frozenset(("inputText", "prompt"))


def json_object(encoded: Any) -> dict[str, Any]:
    """Return the JSON object of a body or a chunk; an empty one for anything else, as a file."""
    if not isinstance(encoded, (str, bytes, bytearray)):
        return {}
    try:
        # As text, since `json` would guess the encoding of bytes, for each chunk of a stream.
        read: Any = json.loads(encoded if isinstance(encoded, str) else encoded.decode())
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", read) if isinstance(read, dict) else {}


def is_embedding(model: str, body: Body) -> bool:
    """Return whether a request embeds something, by the model's name or the body's."""
    return _EMBED in model or not _EMBEDDINGS_KEYS.isdisjoint(body)


def format_of(model: str, body: Body) -> WireFormat:
    """Return the format of a request that generates something; if unknown, what it may have."""
    if _STABILITY in model or not _IMAGE_KEYS.isdisjoint(body):
        return _IMAGES
    if "messages" in body:
        if "anthropic_version" in body:
            return MESSAGES
        return NOVA if _NOVA in model or not _NOVA_KEYS.isdisjoint(body) else CHAT
    if "message" in body:
        return _COMMAND
    return _UNKNOWN if _PROMPT_KEYS.isdisjoint(body) else _COMPLETION


def _completion_fields(response: Any) -> ResponseFields:
    return ResponseFields(
        response_id=text(response, "id"),
        finish_reasons=completions.finish_reasons(response),
        usage=completions.usage_in(response),
    )


_COMPLETION: Final = WireFormat(
    operation=Operation.TEXT_COMPLETION,
    record_request=completions.record_request,
    output_messages=completions.output_messages,
    accumulator=completions.Accumulator,
    request_attributes=settings_attributes,
    response_fields=_completion_fields,
)
_UNKNOWN: Final = replace(_COMPLETION, operation=Operation.GENERATE_CONTENT)


def _command_fields(response: Any) -> ResponseFields:
    return ResponseFields(
        response_id=text(response, "response_id") or text(response, "generation_id"),
        finish_reasons=cohere.finish_reasons(response),
    )


_COMMAND: Final = WireFormat(
    operation=Operation.CHAT,
    record_request=cohere.record_request,
    output_messages=cohere.output_messages,
    accumulator=cohere.Accumulator,
    request_attributes=settings_attributes,
    response_fields=_command_fields,
)


def _record_image_request(content: Content, body: Body) -> None:
    prompts = (
        text(body, "prompt"),
        *(text(one, "text") for one in items(body, "text_prompts")),
        *(text(value, "text") for name, value in body.items() if name.endswith("Params")),
    )
    content.input_messages = [text_message("user", prompt) for prompt in prompts if prompt]


def _image_messages(response: Any) -> list[Message]:
    modality = Modality.IMAGE.value
    images = [
        media.part_from_base64(data, "image/png", modality)
        for image in (*items(response, "images"), *items(response, "artifacts"))
        if (data := image if isinstance(image, str) else text(image, "base64"))
    ]
    return [message("assistant", images)] if images else []


_IMAGES: Final = replace(
    _COMPLETION,
    operation=Operation.GENERATE_CONTENT,
    record_request=_record_image_request,
    output_messages=_image_messages,
    output_type=OutputType.IMAGE,
)


def embeddings_attributes(body: Body) -> dict[str, Any]:
    """Return the request attributes of embeddings."""
    attributes: dict[str, Any] = {}
    sizes = (
        body.get("dimensions"),
        body.get("output_dimension"),
        field(body.get("embeddingConfig"), "outputEmbeddingLength"),
        field(body.get("singleEmbeddingParams"), "embeddingDimension"),
    )
    size = next((size for size in sizes if isinstance(size, int)), None)
    if size is not None:
        attributes[attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT] = size
    types = [*items(body, "embeddingTypes"), *items(body, "embedding_types")]
    if types:
        attributes[attr.GEN_AI_REQUEST_ENCODING_FORMATS] = tuple(map(str, types))
    return attributes


def embeddings_fields(response: Any) -> ResponseFields:
    """Return what a response with embeddings reports of itself."""
    count = field(response, "inputTextTokenCount")
    usage = Usage(count, None, {}) if isinstance(count, int) else None
    return ResponseFields(usage=usage)
