"""The legacy API of completions: a prompt, and texts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Api, Message
from otel_agents.instrumentors._dialects.fields import Body, field, items, text
from otel_agents.semconv.values import Operation

from .chat import choice_reasons
from .parts import text_parts

__all__ = ["COMPLETIONS", "prompt_messages", "text_messages"]


def prompt_messages(prompt: Any) -> list[Message]:
    """A prompt: a string, several, or tokens, which are not text."""
    prompts: list[Any] = [prompt] if isinstance(prompt, str) else list(prompt or ())
    texts = [one for one in prompts if isinstance(one, str)]
    return [{"role": "user", "parts": text_parts(one)} for one in texts]


def text_messages(choices: Iterable[Any]) -> list[Message]:
    """One message per choice, which has a text."""
    return [{"role": "assistant", "parts": text_parts(field(c, "text"))} for c in choices]


def _ask_completion(content: Content, body: Body) -> None:
    content.input_messages = lambda: prompt_messages(body.get("prompt"))


def _texts_output(response: Any) -> list[Message]:
    return text_messages(items(response, "choices"))


class _Assembly:
    """Gathers a stream of chunks."""

    def __init__(self) -> None:
        self._texts: dict[int, list[str]] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk in."""
        for choice in items(chunk, "choices"):
            piece = text(choice, "text")
            if piece:
                self._texts.setdefault(field(choice, "index") or 0, []).append(piece)

    def messages(self) -> list[Message]:
        """One message per choice that has said something."""
        return text_messages({"text": "".join(t)} for _, t in sorted(self._texts.items()))


COMPLETIONS: Final = Api(
    Operation.TEXT_COMPLETION, _ask_completion, _texts_output, choice_reasons, _Assembly
)
