"""The one gate: which content and error texts are emitted, and how much of them.

By default none are (GenAI semconv, "Capturing content"). No other package sets a content attribute,
a status description or an exception's text.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.encoding.encoded import Encoded, encode, encode_text
from otel_agents.instrumentors._core.hooks import completion, redaction
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import attributes as attr

from .content import NO_CONTENT, Policy

__all__ = ["CLOSED", "Gate"]


class Gate:
    """Decides which content is emitted; one per instrumentor.

    Args:
        settings: The settings.
        completion_hook: Called with the content of each call; default is the setting's hook.
        on_truncation: Called with the number of truncated attributes.
        redaction_hook: Redacts content before anything is set: a function, the name of an entry
            point, or ``module:function``; default is the setting's hook.
    """

    __slots__ = ("enabled", "policy")

    def __init__(
        self,
        settings: Settings,
        completion_hook: Any = None,
        on_truncation: Callable[[int], None] | None = None,
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
        """The policy that each `Content` gets."""
        policy = self.policy
        self.enabled = policy.on_span or policy.on_event or policy.completion is not None
        """Whether any content is recorded anywhere."""

    @classmethod
    def closed(cls) -> Gate:
        """Return a gate that nothing passes."""
        gate = cls.__new__(cls)
        gate.policy, gate.enabled = NO_CONTENT, False
        return gate

    def description(self, error: BaseException) -> str | None:
        """Return the status description of an error: its text, if spans carry content."""
        on_span = self.policy.on_span
        return self._text("exception_message", _message(error)) if on_span else None

    def exception_attributes(self, error: BaseException) -> dict[str, Any]:
        """Return the attributes of the exception event: the texts only if events carry content."""
        found: dict[str, Any] = {attr.EXCEPTION_TYPE: errors.error_type(error)}
        if self.policy.on_event:
            message = self._text("exception_message", _message(error))
            if message is not None:
                found[attr.EXCEPTION_MESSAGE] = message
            trace = "".join(traceback.format_exception(error))
            stack = self._text("exception_stacktrace", trace, end=True)
            if stack is not None:
                found[attr.EXCEPTION_STACKTRACE] = stack
        return found

    def value_attribute(self, name: str, value: Any) -> dict[str, Any]:
        """Return a value of an event as JSON under ``name``; nothing if events carry no content."""
        policy = self.policy
        if value is not None and policy.on_event and policy.redact is not None:
            value = policy.redact("event_value", value)
        if value is None or not policy.on_event:
            return {}
        try:
            encoded = self._counted(encode(value, policy.limit))
        except Exception:  # another thread may be changing it
            errors.internal_error("encoding event_value")
            return {}
        return {name: encoded.text} if encoded.text else {}

    def text_attributes(self, name: str, text: str | None) -> tuple[dict[str, str], dict[str, str]]:
        """Return ``text`` under ``name`` for an event and for a span, where each has content."""
        policy = self.policy
        if text is None or not (policy.on_event or policy.on_span):
            return {}, {}
        kept = self._text("evaluation_explanation", text)
        named = {} if kept is None else {name: kept}
        return (named if policy.on_event else {}), (named if policy.on_span else {})

    def _text(self, kind: str, text: str | None, *, end: bool = False) -> str | None:
        policy = self.policy
        if text is not None and policy.redact is not None:
            text = policy.redact(kind, text)
        return (
            None if text is None else self._counted(encode_text(text, policy.limit, end=end)).text
        )

    def _counted(self, encoded: Encoded) -> Encoded:
        on_truncation = self.policy.on_truncation
        if encoded.original_bytes is not None and on_truncation is not None:
            on_truncation(1)
        return encoded


CLOSED: Final = Gate.closed()
"""The gate where the application excludes content, whatever the settings are."""


def _message(error: BaseException) -> str | None:
    try:
        return str(error)
    except Exception:  # the class's own __str__ fails
        return None
