"""The one gate: what of prompts, answers and errors leaves the process, and how much of it.

Nothing does unless it is asked for (GenAI semconv, "Capturing content"). No other room sets a
content attribute, a status description or an exception's text.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.encoded import Encoded, encode, encode_text
from otel_agents.instrumentors._core.hooks import completion, redaction
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr

from .content import Policy

__all__ = ["Gate"]


class Gate:
    """Decides what leaves; one per instrumentor.

    Args:
        settings: What is asked for.
        completion_hook: Given the content of each call; default is the one of the settings.
        on_truncation: Told of each attribute that was cut.
        redaction_hook: Sees content before anything is set; a function, the name of an entry
            point, or ``module:function``; default is the one of the settings.
    """

    __slots__ = ("enabled", "policy")

    def __init__(
        self,
        settings: Settings,
        completion_hook: Any = None,
        on_truncation: Callable[[], None] | None = None,
        *,
        redaction_hook: redaction.Redact | str | None = None,
    ) -> None:
        self.policy = Policy(
            limit=settings.content_max_bytes,
            span_limit=settings.span_max_bytes,
            on_span=settings.capture.on_span,
            on_event=settings.capture.on_event and settings.emit_event,
            redact=redaction.load(redaction_hook or settings.redaction_hook),
            completion=completion.load(completion_hook, settings.completion_hook),
            on_truncation=on_truncation,
        )
        """What a `Content` is made with."""
        policy = self.policy
        self.enabled = policy.on_span or policy.on_event or policy.completion is not None
        """Whether there is any use in setting a field of `Content`."""

    def description(self, error: BaseException) -> str | None:
        """The description of an error's status: its text where spans carry content."""
        on_span = self.policy.on_span
        return self._text("exception_message", _message(error)) if on_span else None

    def exception_attributes(self, error: BaseException) -> dict[str, Any]:
        """The exception event's attributes: the type always, the texts only with content."""
        told: dict[str, Any] = {attr.EXCEPTION_TYPE: errors.error_type(error)}
        if self.policy.on_event:
            message = self._text("exception_message", _message(error))
            if message is not None:
                told[attr.EXCEPTION_MESSAGE] = message
            trace = "".join(traceback.format_exception(error))
            stack = self._text("exception_stacktrace", trace, end=True)
            if stack is not None:
                told[attr.EXCEPTION_STACKTRACE] = stack
        return told

    def value_attribute(self, name: str, value: Any) -> dict[str, Any]:
        """A value that an event of ours carries as JSON, under ``name``; nothing without content."""
        policy = self.policy
        if value is not None and policy.on_event and policy.redact is not None:
            value = policy.redact("event_value", value)
        if value is None or not policy.on_event:
            return {}
        try:
            encoded = self._counted(encode(value, policy.limit))
        except Exception:  # another thread may be editing it
            errors.internal_error("encoding event_value")
            return {}
        return {name: encoded.text} if encoded.text else {}

    def _text(self, kind: str, text: str | None, *, end: bool = False) -> str | None:
        policy = self.policy
        if text is not None and policy.redact is not None:
            text = policy.redact(kind, text)
        return (
            None if text is None else self._counted(encode_text(text, policy.limit, end=end)).text
        )

    def _counted(self, encoded: Encoded) -> Encoded:
        told = self.policy.on_truncation
        if encoded.original_bytes is not None and told is not None:
            told()
        return encoded


def _message(error: BaseException) -> str | None:
    try:
        return str(error)
    except Exception:  # its own class fails to say it
        return None
