"""Imagen's pictures, and Veo's videos, which a later request fetches, as `WireFormat`."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import (
    Message,
    Part,
    ResponseFields,
    WireFormat,
    no_messages,
)
from otel_agents.instrumentors._dialects.fields import Body
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation, OutputType

from .accumulator import Accumulator
from .parts import image_part, message_parts
from .requests import inference_attributes
from .spellings import field, items, text

__all__ = ["IMAGES", "VIDEOS"]

_GENERATED: Final = (
    ("generated_images", "image"),
    ("generated_masks", "mask"),
)


def _record_prompt(content: Content, body: Body) -> None:
    content.input_messages = lambda: Items([body], _prompt_message)


def _prompt_message(body: Body) -> Message:
    source = body.get("source")
    return {"role": "user", "parts": [*_prompt_parts(source), *_prompt_parts(body)]}


def _prompt_parts(holder: Any) -> Iterable[Part]:
    """Yield the prompt, the picture and the pictures that it refers to."""
    prompt = text(holder, "prompt")
    if prompt is not None:
        yield from message_parts(prompt)
    for one in (holder, *items(holder, "reference_images"), *items(holder, "product_images")):
        image = field(one, "image") or field(one, "reference_image") or field(one, "product_image")
        if image is not None:
            yield image_part(image)


def _output_messages(response: Any) -> list[Message]:
    parts = [
        image_part(picture)
        for name, key in _GENERATED
        for generated in items(response, name)
        if (picture := field(generated, key)) is not None
    ] + [image_part(prediction) for prediction in items(response, "predictions")]
    return [{"role": "assistant", "parts": parts}] if parts else []


def _image_fields(response: Any) -> ResponseFields:
    return ResponseFields()


def _video_fields(operation: Any) -> ResponseFields:
    """Return the name of the operation that generates a video: the response is fetched later."""
    return ResponseFields(
        text(operation, "name"),
        attributes={attr.OTEL_AGENTS_RESPONSE_PENDING: not field(operation, "done")},
    )


IMAGES: Final = WireFormat(
    operation=Operation.GENERATE_CONTENT,
    record_request=_record_prompt,
    output_messages=_output_messages,
    accumulator=Accumulator,
    request_attributes=inference_attributes,
    response_fields=_image_fields,
    output_type=OutputType.IMAGE,
)
VIDEOS: Final = WireFormat(
    operation=Operation.GENERATE_CONTENT,
    record_request=_record_prompt,
    output_messages=no_messages,
    accumulator=Accumulator,
    request_attributes=inference_attributes,
    response_fields=_video_fields,
)
