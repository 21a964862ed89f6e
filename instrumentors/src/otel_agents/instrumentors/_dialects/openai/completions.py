"""The legacy completions API: a prompt in, texts out."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.fields import Body, field, items, text
from otel_agents.instrumentors._dialects.parts import with_finish_reasons
from otel_agents.semconv.values import Operation

from .api import OpenAIApi
from .chat import choice_finish_reasons
from .parts import text_parts

__all__ = ["COMPLETIONS", "prompt_messages", "text_messages"]


def prompt_messages(prompt: Any) -> list[Message]:
    """Return the messages of a prompt: a string or several; token ids are left out."""
    prompts: list[Any] = [prompt] if isinstance(prompt, str) else list(prompt or ())
    texts = [one for one in prompts if isinstance(one, str)]
    return [{"role": "user", "parts": text_parts(one)} for one in texts]


def text_messages(choices: Iterable[Any], reasons: Sequence[str] = ()) -> list[Message]:
    """Return one message per choice, with its finish reason if there is one."""
    messages = [{"role": "assistant", "parts": text_parts(field(c, "text"))} for c in choices]
    return with_finish_reasons(messages, reasons)


def _record_request(content: Content, body: Body) -> None:
    content.input_messages = lambda: prompt_messages(body.get("prompt"))


def _output_messages(response: Any) -> list[Message]:
    return text_messages(items(response, "choices"), choice_finish_reasons(response))


class _Accumulator:
    """Accumulates a stream of chunks."""

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}
        self._reasons: dict[int, str] = {}

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        for choice in items(chunk, "choices"):
            chunk_text, reason = text(choice, "text"), text(choice, "finish_reason")
            index = field(choice, "index") or 0
            if chunk_text:
                self._texts.setdefault(index, []).append(chunk_text)
            if reason:
                self._reasons[index] = reason

    def messages(self) -> list[Message]:
        """Return one message per choice that has text."""
        reasons = [self._reasons.get(index, "error") for index in sorted(self._texts)]
        choices = [{"text": "".join(texts)} for _, texts in sorted(self._texts.items())]
        return text_messages(choices, reasons)


COMPLETIONS: Final = OpenAIApi(
    Operation.TEXT_COMPLETION,
    _record_request,
    _output_messages,
    _Accumulator,
    finish_reasons=choice_finish_reasons,
)
