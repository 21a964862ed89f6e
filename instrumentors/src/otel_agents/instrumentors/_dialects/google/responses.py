"""Responses of ``generateContent``: messages, finish reasons, ids and usage."""

from __future__ import annotations

import re
from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message, ResponseFields
from otel_agents.instrumentors._dialects.parts import with_finish_reasons
from otel_agents.semconv.values import ERROR_TYPE_OTHER

from .citations import cite
from .grounding import grounding_parts
from .parts import message_parts
from .spellings import field, items, text
from .usage import usage_of

__all__ = ["error_status", "finish_reasons", "output_messages", "response_fields", "stream_error"]

_STATUS: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def response_fields(response: Any) -> ResponseFields:
    """Return what a response says of itself."""
    return ResponseFields(
        text(response, "response_id"),
        text(response, "model_version"),
        finish_reasons(response),
        usage_of(field(response, "usage_metadata")),
    )


def finish_reasons(response: Any) -> tuple[str, ...]:
    """Return one reason per candidate in lower case, or why the prompt was blocked.

    A candidate that broke off has ``error``; without any reason there is none.
    """
    reasons = [text(candidate, "finish_reason") for candidate in items(response, "candidates")]
    if not reasons:
        reasons = [text(field(response, "prompt_feedback"), "block_reason")]
    return tuple((reason or "error").lower() for reason in reasons) if any(reasons) else ()


def output_messages(response: Any) -> list[Message]:
    """Return one message per candidate, with what Google's own tools found before its text."""
    messages = [
        {
            "role": "assistant",
            "parts": [
                *grounding_parts(candidate),
                *cite(message_parts(field(field(candidate, "content"), "parts")), candidate),
            ],
        }
        for candidate in items(response, "candidates")
    ]
    reasons = finish_reasons(response) or ("error",) * len(messages)
    return with_finish_reasons(messages, reasons)


def error_status(error: Any) -> str | None:
    """Return the status of an error, such as ``RESOURCE_EXHAUSTED``, else its HTTP status.

    A gateway has HTTP's phrase there, or a text with content.
    """
    status, code = text(error, "status"), field(error, "code")
    if status is not None and _STATUS.fullmatch(status):
        return status
    return str(code) if isinstance(code, int) else None


def stream_error(event: Any) -> str | None:
    """Return the status in an event that reports an error."""
    error = field(event, "error")
    return (error_status(error) or ERROR_TYPE_OTHER) if error is not None else None
