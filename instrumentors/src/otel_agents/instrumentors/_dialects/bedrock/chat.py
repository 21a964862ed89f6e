"""OpenAI's chat as Bedrock serves it, for OpenAI, DeepSeek, AI21, Mistral, Qwen and others.

Mistral's first models have other names in it: ``stop_reason``, and ``message`` in a stream.
"""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._dialects.api import Message, ResponseFields, WireFormat
from otel_agents.instrumentors._dialects.fields import as_mapping, field, items, text
from otel_agents.instrumentors._dialects.openai.chat import CHAT as OPENAI
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv.values import Operation

from .requests import settings_attributes

__all__ = ["CHAT"]


def _renamed(body: Any) -> dict[str, Any]:
    """Return a response or a chunk with OpenAI's names."""
    choices: list[dict[str, Any]] = [
        {
            **as_mapping(choice),
            "delta": field(choice, "delta") or field(choice, "message") or {},
            "finish_reason": text(choice, "finish_reason") or text(choice, "stop_reason"),
        }
        for choice in items(body, "choices")
    ]
    return {**as_mapping(body), "choices": choices}


def _output_messages(response: Any) -> list[Message]:
    return OPENAI.output_messages(_renamed(response))


def _fields(response: Any) -> ResponseFields:
    return ResponseFields(
        response_id=text(response, "id"),
        model=text(response, "model"),
        finish_reasons=OPENAI.finish_reasons(_renamed(response)),
        usage=usage_of(field(response, "usage")),
    )


class _Accumulator:
    """Accumulates the chunks of a chat.

    Args:
        content: Whether to accumulate messages too.
    """

    def __init__(self, content: bool = True) -> None:
        self._messages = OPENAI.accumulator() if content else None
        self._fields: dict[str, Any] = {}
        self._reasons: dict[int, str | None] = {}
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        renamed = _renamed(chunk)
        if self._messages is not None:
            self._messages.add(renamed)
        for choice in renamed.pop("choices"):
            index = choice.get("index") or 0
            self._reasons[index] = choice["finish_reason"] or self._reasons.get(index)
        self._fields.update({name: value for name, value in renamed.items() if value is not None})
        self.finished = bool(self._reasons) and all(self._reasons.values())

    def response(self) -> dict[str, Any] | None:
        """Return the response so far, without its messages; None before its first chunk."""
        if not (self._fields or self._reasons):
            return None
        choices = [{"finish_reason": reason} for _, reason in sorted(self._reasons.items())]
        return {**self._fields, "choices": choices}

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return [] if self._messages is None else self._messages.messages()


CHAT: Final = WireFormat(
    operation=Operation.CHAT,
    record_request=OPENAI.record_request,
    output_messages=_output_messages,
    accumulator=_Accumulator,
    request_attributes=settings_attributes,
    response_fields=_fields,
)
