"""Models that complete a prompt: Titan, Llama, Mistral, Command, Jurassic, DeepSeek and others.

Their bodies differ in names only, and no name has two meanings, so that one reader serves all of
them and most models that are added later.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Usage
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, items, text
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.instrumentors._dialects.parts import message, text_part
from otel_agents.semconv.values import Modality

__all__ = ["Accumulator", "finish_reasons", "output_messages", "record_request", "usage_in"]

_PROMPTS: Final = ("prompt", "inputText")
_LISTS: Final = ("results", "outputs", "generations", "completions", "choices")
_TEXTS: Final = ("outputText", "generation", "completion", "text")
_REASONS: Final = ("completionReason", "stop_reason", "finish_reason")
_INPUTS: Final = ("inputTextTokenCount", "prompt_token_count")
_OUTPUTS: Final = ("totalOutputTextTokenCount", "generation_token_count")


def record_request(content: Content, body: Body) -> None:
    """Set the prompt of a request, with its images."""
    prompt = next((body[name] for name in _PROMPTS if isinstance(body.get(name), str)), None)
    if prompt:
        content.input_messages = lambda: [message("user", [*_images(body), text_part(prompt)])]


def _images(body: Body) -> Iterator[dict[str, Any]]:
    """Yield the images in a Llama's request, in base64."""
    for image in items(body, "images"):
        if isinstance(image, str):
            yield media.part_from_base64(image, None, Modality.IMAGE.value)


class _Choice(NamedTuple):
    """One choice of a response or of a chunk."""

    position: int
    written: str
    reason: str | None


def _choices(body: Any) -> list[_Choice]:
    """Return the choices of a response; one if the body itself is the only choice.

    None is returned of a list in which nothing is written, such as the results of a ranking.
    """
    fields = as_mapping(body)
    lists = (items(fields, name) for name in _LISTS if name in fields)
    listed = next(filter(None, lists), (fields,))
    choices = [_choice(as_mapping(one), position) for position, one in enumerate(listed)]
    return choices if any(choice.written or choice.reason for choice in choices) else []


def _choice(fields: Mapping[str, Any], position: int) -> _Choice:
    """Return a choice; a chunk that has one of several choices names its index."""
    index = fields.get("index")
    written = next((fields[name] for name in _TEXTS if isinstance(fields.get(name), str)), None)
    reason = next((fields[name] for name in _REASONS if isinstance(fields.get(name), str)), None)
    if written is None:  # AI21's Jurassic
        written = text(fields.get("data"), "text")
        reason = reason or text(fields.get("finishReason"), "reason")
    return _Choice(
        index if isinstance(index, int) else position,
        written or "",
        _lower(reason) if reason else None,
    )


def _lower(reason: str) -> str:
    """Return a reason in the provider's spelling; in lower case if that is all in capitals."""
    return reason.lower() if reason.isupper() else reason


def output_messages(response: Any) -> list[Message]:
    """Return one message per choice."""
    return [_message(choice) for choice in _choices(response)]


def _message(choice: _Choice) -> Message:
    parts = [text_part(choice.written)] if choice.written else []
    finished = {"finish_reason": choice.reason or "error"}  # a stream that broke off has none
    return {**message("assistant", parts), **finished}


def finish_reasons(response: Any) -> tuple[str, ...]:
    """Return one reason per choice, ``error`` for one without; none if no choice has one."""
    reasons = [choice.reason for choice in _choices(response)]
    return tuple(reason or "error" for reason in reasons) if any(reasons) else ()


def usage_in(body: Any) -> Usage | None:
    """Return the usage of a response; None if its body has none."""
    fields = as_mapping(body)
    inputs, outputs = _count(fields, _INPUTS), _count(fields, _OUTPUTS)
    if outputs is None:
        counts = [_count(as_mapping(one), ("tokenCount",)) for one in items(fields, "results")]
        known = [count for count in counts if count is not None]
        outputs = sum(known) if known else None
    if inputs is None and outputs is None:
        return usage_of(fields.get("usage"))  # an imported model's, in OpenAI's format
    return Usage(inputs, outputs, {})


def _count(fields: Mapping[str, Any], names: tuple[str, ...]) -> int | None:
    return next((fields[name] for name in names if isinstance(fields.get(name), int)), None)


class Accumulator:
    """Accumulates the chunks of a completion.

    Args:
        content: Whether to accumulate the text too.
    """

    def __init__(self, content: bool = True) -> None:
        self._content = content
        self._texts: dict[int, list[str]] = {}
        self._reasons: dict[int, str | None] = {}
        self._latest: dict[str, Any] = {}
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        for index, written, reason in _choices(chunk):
            self._reasons[index] = reason or self._reasons.get(index)
            if self._content and written:
                self._texts.setdefault(index, []).append(written)
        for name, value in as_mapping(chunk).items():
            if value is not None and name in _KEPT:
                self._latest[name] = value
        self.finished = bool(self._reasons) and all(self._reasons.values())

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before its first chunk."""
        if not (self._reasons or self._latest):
            return None
        choices = [
            {"text": "".join(self._texts.get(index, ())), "finish_reason": reason}
            for index, reason in sorted(self._reasons.items())
        ]
        return {"outputs": choices, **self._latest}

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return output_messages(self.response())


_KEPT: Final = frozenset((*_INPUTS, *_OUTPUTS, "id", "usage"))
