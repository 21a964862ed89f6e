"""Streaming responses: their type stays, and what they generate is followed."""

from __future__ import annotations

from types import AsyncGeneratorType, GeneratorType
from typing import Any, Final

from otel_agents.instrumentors._core.calls.proxies import follow_returned_generator
from otel_agents.instrumentors._core.operations import InvokeWorkflow
from otel_agents.instrumentors._core.operations.agents import Messages
from otel_agents.instrumentors._dialects.parts import text_message

from ._work import RUNS, Work

__all__ = ["TextWorkflow", "follow_generator_of", "follow_response", "output_text"]

_GENERATORS: Final = (GeneratorType, AsyncGeneratorType)


class TextWorkflow(InvokeWorkflow):
    """A workflow whose result is a text, or a stream of its parts."""

    __slots__ = ("_tokens",)

    def chunk(self, item: Any) -> object:
        """Collect one part of the text."""
        if self.content.enabled:
            if not hasattr(self, "_tokens"):
                self._tokens: list[str] = []
            self._tokens.append(str(getattr(item, "delta", item) or ""))
        return None

    def conclude(self) -> None:
        """Record the text of a stream as far as it was read."""
        if hasattr(self, "_tokens"):
            self.respond("".join(self._tokens))


def output_text(response: Any) -> Messages:
    """Return the output messages of a query engine."""
    text = str(response) if response is not None else ""
    return [text_message("assistant", text)] if text else None


def follow_response(work: Work, result: Any) -> None:
    """End the work with a response; with a streaming one when its generator ends."""
    if not follow_generator_of(work, result, "response_gen"):
        work.end(result)


def follow_generator_of(work: Work, holder: Any, name: str) -> bool:
    """Follow the generator in a field, and end the work with it; False if it has none."""
    fields = getattr(holder, "__dict__", {})
    generator = fields.get(name)
    run = RUNS.find(work.span_id)
    operation = run.operation if run is not None else None
    if type(generator) not in _GENERATORS or operation is None:
        return False
    operation.when_ended.append(lambda: RUNS.end(work.span_id))
    fields[name] = follow_returned_generator(generator, operation)
    return True
