"""Responses of ``generateContent``: messages, finish reasons, ids and usage."""

from __future__ import annotations

import re
from typing import Any, Final

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.messages import TextMessage
from otel_agents.instrumentors._dialects.api import Message, ResponseFields
from otel_agents.instrumentors._dialects.fields import Body, fields_of, listed
from otel_agents.semconv.values import ERROR_TYPE_OTHER

from .citations import cite
from .grounding import grounding_parts
from .parts import message_parts
from .requests import text_message_of
from .spellings import field, text, text_in
from .usage import usage_of

__all__ = [
    "error_status",
    "finish_reasons",
    "output",
    "output_messages",
    "response_fields",
    "stream_error",
]

_DICT: Final[Any] = dict  # by this name a type checker does not narrow a type
_STATUS: Final = re.compile(r"[A-Z][A-Z0-9_]{0,63}")


def response_fields(response: Any) -> ResponseFields:
    """Return what a response says of itself."""
    if isinstance(response, _DICT):
        known = field(response, "response_id"), field(response, "model_version")
        usage = field(response, "usage_metadata")
    else:  # a hot path: an object of the SDK has one spelling
        fields = fields_of(response)
        known = fields.get("response_id"), fields.get("model_version")
        usage = fields.get("usage_metadata")
    return ResponseFields(
        text_in(known[0]), text_in(known[1]), finish_reasons(response), usage_of(usage)
    )


def finish_reasons(response: Any) -> tuple[str, ...]:
    """Return one reason per candidate in lower case, or why the prompt was blocked.

    A candidate that broke off has ``error``; without any reason there is none.
    """
    reasons: list[str | None] = []
    for candidate in listed(fields_of(response).get("candidates")):
        reasons.append(text(candidate, "finish_reason"))
    if len(reasons) == 1:  # a hot path: nearly always
        return () if reasons[0] is None else (reasons[0].lower(),)
    if not reasons:
        reasons = [text(field(response, "prompt_feedback"), "block_reason")]
    return tuple((reason or "error").lower() for reason in reasons) if any(reasons) else ()


def output_messages(response: Any) -> list[Message]:
    """Return one message per candidate, with what Google's own tools found before its text."""
    return list(map(_message, listed(fields_of(response).get("candidates"))))


def output(response: Any) -> Items | list[Message]:
    """Return the messages of a response as content: nearly always there is one."""
    candidates = listed(fields_of(response).get("candidates"))
    if len(candidates) == 1:
        return Items(candidates, _message, _text_message)
    return output_messages(response)


def _text_message(candidate: Any) -> TextMessage | None:
    """Return a candidate that is one text; None for any other, and for JSON."""
    fields = fields_of(candidate)
    if isinstance(candidate, _DICT) or _ran_tools(fields):
        return None
    known = text_message_of(fields.get("content"))
    reason = text_in(fields.get("finish_reason"))
    return None if known is None else ("assistant", known[1], (reason or "error").lower())


def _message(candidate: Any) -> Message:
    """Return the message of a candidate; one that broke off has the reason ``error``."""
    fields = fields_of(candidate)
    parts = message_parts(fields_of(fields.get("content")).get("parts"))
    reason = text(candidate, "finish_reason")
    if isinstance(candidate, _DICT) or _ran_tools(fields):
        parts = [*grounding_parts(candidate), *cite(parts, candidate)]
    return {"role": "assistant", "parts": parts, "finish_reason": (reason or "error").lower()}


def _ran_tools(fields: Body) -> bool:
    """Return whether an object of the SDK has what tools found: nearly always none."""
    return (
        fields.get("grounding_metadata") is not None
        or fields.get("url_context_metadata") is not None
        or fields.get("citation_metadata") is not None
    )


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
