"""Text recognition (OCR)."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, WireFormat
from otel_agents.instrumentors._dialects.fields import Body, field, items, text
from otel_agents.instrumentors._dialects.parts import message, text_part
from otel_agents.semconv.values import Operation, OutputType

from .chat import CHAT
from .parts import content_parts
from .requests import no_attributes
from .response_fields import response_fields

__all__ = ["OCR"]


def _record_request(content: Content, body: Body) -> None:
    prompt = content_parts(text(body, "document_annotation_prompt"))
    content.input_messages = lambda: [
        message("user", [*prompt, *content_parts(field(body, "document"))])
    ]


def _output_messages(response: Any) -> list[Message]:
    """Return one message with a part for each page, and the annotation that was requested."""
    pages = (text(page, "markdown") for page in items(response, "pages"))
    texts = [*pages, text(response, "document_annotation")]
    parts = [text_part(one) for one in texts if one]
    return [message("assistant", parts)] if parts else []


OCR: Final = WireFormat(
    operation=Operation.GENERATE_CONTENT,
    request_attributes=no_attributes,
    record_request=_record_request,
    output_messages=_output_messages,
    response_fields=response_fields,
    accumulator=CHAT.accumulator,
    output_type=OutputType.TEXT,
)
"""It bills pages, for which the conventions have no attribute."""
