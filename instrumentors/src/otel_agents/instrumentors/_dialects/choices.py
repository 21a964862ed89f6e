"""The choices of a response to a chat: one message each."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import texts
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.messages import TextMessage
from otel_agents.instrumentors._core.encoding.plain import kind_of

from .api import Message
from .fields import fields_of, items, known_fields

__all__ = ["Choices"]

_CHOICES: Final = ("choices",)
_FIELDS: Final = ("message", "finish_reason")


@dataclass(frozen=True, slots=True)
class Choices:
    """Reads the messages of a response in a provider's format.

    Attributes:
        convert: Converts the message of a choice.
        text_of: Returns what that is if it is a text and nothing else; see `Items`.
    """

    convert: Callable[[Any], Message]
    text_of: Callable[[Any], TextMessage | None]

    def messages(self, response: Any) -> list[Message]:
        """Return one message per choice, in the order of the choices."""
        choices = [fields_of(choice) for choice in items(response, "choices")]
        messages = [self.convert(choice.get("message")) for choice in choices]
        reasons = [choice.get("finish_reason") for choice in choices]
        if any(reasons):  # as the attribute of the finish reasons has them
            for message, reason in zip(messages, reasons, strict=True):
                message["finish_reason"] = texts.text_of(reason) if reason else "error"
        return messages

    def output(self, response: Any) -> Items | list[Message]:
        """Return the messages as content: nearly always there is one."""
        choices: Any = known_fields(response, _CHOICES).get("choices")
        if kind_of(choices) is list and len(choices) == 1:  # a hot path
            fields = known_fields(choices[0], _FIELDS)
            reason = fields.get("finish_reason")
            if type(reason) is str and reason:
                return Items((fields,), self._message, self._text_of)
        return self.messages(response)

    def _text_of(self, fields: Mapping[str, Any]) -> TextMessage | None:
        text = self.text_of(fields.get("message"))
        return None if text is None else (text[0], text[1], fields.get("finish_reason"))

    def _message(self, fields: Mapping[str, Any]) -> Message:
        message = self.convert(fields.get("message"))
        return {**message, "finish_reason": fields.get("finish_reason")}
