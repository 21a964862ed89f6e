"""Anthropic's legacy text completions, which report no usage."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import Body, text
from otel_agents.instrumentors._dialects.parts import text_message, with_finish_reasons

from .messages import finish_reasons

__all__ = ["CompletionAccumulator", "completion_messages", "record_prompt"]


def record_prompt(content: Content, body: Body) -> None:
    """Set the content of a request from its ``prompt``."""
    prompt = text(body, "prompt")
    content.input_messages = lambda: [text_message("user", prompt)] if prompt else []


def completion_messages(response: Any) -> list[Message]:
    """Return the completion as a message; an empty list if it has no text."""
    completion = text(response, "completion")
    if completion is None:
        return []
    reasons = finish_reasons(response) or ("error",)  # a stream that broke off has none
    return with_finish_reasons([text_message("assistant", completion)], reasons)


class CompletionAccumulator:
    """Accumulates a stream of completions into the response that it would have been.

    Args:
        content: Whether to accumulate the text too; id, model and stop reason always are.

    Attributes:
        finished: Whether the last event arrived: the one with a stop reason.
    """

    def __init__(self, content: bool = True) -> None:
        self.finished = False
        self._content = content
        self._identity: dict[str, str | None] | None = None
        self._stop_reason: str | None = None
        self._chunks: list[str] = []

    def add(self, chunk: Any) -> None:
        """Add one event."""
        if text(chunk, "type") != "completion":
            return
        if self._identity is None:
            self._identity = {name: text(chunk, name) for name in ("id", "model")}
        self._stop_reason = text(chunk, "stop_reason") or self._stop_reason
        self.finished = self._stop_reason is not None
        if self._content:
            self._chunks.append(text(chunk, "completion") or "")

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before the first event."""
        if self._identity is None:
            return None
        return {
            **self._identity,
            "stop_reason": self._stop_reason,
            "completion": "".join(self._chunks),
        }

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return completion_messages(self.response())
