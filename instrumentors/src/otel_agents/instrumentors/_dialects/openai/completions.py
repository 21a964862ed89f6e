"""The legacy API of completions: a prompt, and texts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Api, Message
from otel_agents.instrumentors._dialects.fields import Body, field, items, text
from otel_agents.instrumentors._dialects.parts import with_finish_reasons
from otel_agents.semconv.values import Operation

from .chat import choice_reasons
from .parts import text_parts

__all__ = ["COMPLETIONS", "prompt_messages", "text_messages"]


def prompt_messages(prompt: Any) -> list[Message]:
    """A prompt: a string, several, or tokens, which are not text."""
    prompts: list[Any] = [prompt] if isinstance(prompt, str) else list(prompt or ())
    texts = [one for one in prompts if isinstance(one, str)]
    return [{"role": "user", "parts": text_parts(one)} for one in texts]


def text_messages(choices: Iterable[Any], reasons: Sequence[str] = ()) -> list[Message]:
    """One message per choice, which has a text; the reasons for which they ended, if any."""
    messages = [{"role": "assistant", "parts": text_parts(field(c, "text"))} for c in choices]
    return with_finish_reasons(messages, reasons)


def _ask_completion(content: Content, body: Body) -> None:
    content.input_messages = lambda: prompt_messages(body.get("prompt"))


def _texts_output(response: Any) -> list[Message]:
    return text_messages(items(response, "choices"), choice_reasons(response))


class _Accumulator:
    """Gathers a stream of chunks."""

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}
        self._reasons: dict[int, str] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk in."""
        for choice in items(chunk, "choices"):
            piece, reason = text(choice, "text"), text(choice, "finish_reason")
            index = field(choice, "index") or 0
            if piece:
                self._texts.setdefault(index, []).append(piece)
            if reason:
                self._reasons[index] = reason

    def messages(self) -> list[Message]:
        """One message per choice that has said something."""
        reasons = [self._reasons.get(index, "error") for index in sorted(self._texts)]
        choices = [{"text": "".join(texts)} for _, texts in sorted(self._texts.items())]
        return text_messages(choices, reasons)


COMPLETIONS: Final = Api(
    Operation.TEXT_COMPLETION, _ask_completion, _texts_output, choice_reasons, _Accumulator
)
