"""Model calls that the application makes by its own HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, final, overload

from ._activity import ACTIVITY
from ._blocks import Block, Function, Server, applied

__all__ = [
    "EmbeddingsBlock",
    "InferenceBlock",
    "ModelBlock",
    "current_call",
    "embeddings",
    "inference",
]


class ModelBlock(Block):
    """A model call by the application's own means."""

    __slots__ = ()

    def input(self, value: Any) -> None:
        """Record the prompt: a text, a list of messages, or any object. It is content."""
        self._record("model_input", value)

    def output(self, value: Any) -> None:
        """Record the response's text, messages or object. It is content."""
        self._record("model_output", value)

    def chunk(self) -> None:
        """Record the arrival of a chunk of a stream: the time to the first one is recorded."""
        self._record("model_chunk")

    def usage(
        self,
        input_tokens: int | None = None,
        output_tokens: int | None = None,
        *,
        cache_read_tokens: int | None = None,
        cache_write_tokens: int | None = None,
        cache_write_1h_tokens: int | None = None,
        reasoning_tokens: int | None = None,
    ) -> None:
        """Record the tokens as the provider billed them.

        Args:
            input_tokens: All tokens of the input, cached ones included.
            output_tokens: All tokens of the output, reasoning included.
            cache_read_tokens: Those of the input that were read from a cache.
            cache_write_tokens: Those of the input that were written to a cache.
            cache_write_1h_tokens: Those of them that stay there for an hour, which costs more.
            reasoning_tokens: Those of the output that are reasoning.
        """
        details = (
            cache_read_tokens,
            cache_write_tokens,
            cache_write_1h_tokens,
            reasoning_tokens,
        )
        self._record("model_usage", input_tokens, output_tokens, details)

    def response(
        self,
        *,
        id: str | None = None,
        model: str | None = None,
        finish_reason: str | Sequence[str] | None = None,
    ) -> None:
        """Record what the response says of itself.

        Args:
            id: The provider's id of the response.
            model: The model that responded.
            finish_reason: Why it stopped, for each choice: ``stop``, ``length``, ``tool_call``, …
        """
        self._record("model_response", id, model, finish_reason)


@final
class InferenceBlock(ModelBlock):
    """An inference; see `otel_agents.api.inference`."""

    __slots__ = ()
    kind = "inference"


@final
class EmbeddingsBlock(ModelBlock):
    """A call that embeds texts; see `otel_agents.api.embeddings`."""

    __slots__ = ()
    kind = "embeddings"


@final
class CurrentCall(ModelBlock):
    """The innermost model call in progress; see `otel_agents.api.current_call`."""

    __slots__ = ()
    kind = "inference"

    def _record(self, what: str, *values: Any) -> None:
        if ACTIVITY:
            from ._operations.models import current_call
            from ._operations.records import record

            record(current_call(), what, *values)


@overload
def inference(function: Function, /) -> Function: ...
@overload
def inference(
    *,
    model: str | None = None,
    provider: str | None = None,
    operation: Literal["chat", "text_completion", "generate_content"] = "chat",
    server: Server | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stream: bool | None = None,
) -> InferenceBlock: ...
def inference(
    function: Any = None,
    /,
    *,
    model: str | None = None,
    provider: str | None = None,
    operation: str = "chat",
    server: Server | None = None,
    temperature: float | None = None,
    max_tokens: int | None = None,
    stream: bool | None = None,
) -> Any:
    """Record a call of a model that the application makes by its own HTTP.

    The span is emitted when the call is over. If an instrumented SDK makes the call, its span is
    the only one, and nothing recorded here counts.

    Example:
        >>> with inference(model="house-7b", provider="house") as call:
        ...     call.usage(input_tokens=11, output_tokens=3)
        ...     call.response(id="r-1", model="house-7b-2026", finish_reason="stop")

    Args:
        function: The function to decorate; it records by ``current_call()``.
        model: The requested model.
        provider: Who responds: ``openai``, ``anthropic``, or the name of another.
        operation: What is requested.
        server: Host and port of the endpoint.
        temperature: As requested.
        max_tokens: As requested.
        stream: Whether a stream is requested.
    """
    block = InferenceBlock(
        model=model,
        provider=provider,
        operation=operation,
        server=server,
        temperature=temperature,
        max_tokens=max_tokens,
        stream=stream,
    )
    return applied(block, function)


@overload
def embeddings(function: Function, /) -> Function: ...
@overload
def embeddings(
    *,
    model: str | None = None,
    provider: str | None = None,
    server: Server | None = None,
    dimensions: int | None = None,
) -> EmbeddingsBlock: ...
def embeddings(
    function: Any = None,
    /,
    *,
    model: str | None = None,
    provider: str | None = None,
    server: Server | None = None,
    dimensions: int | None = None,
) -> Any:
    """Record a call that embeds texts, made by the application's own HTTP; see `inference`.

    Example:
        >>> with embeddings(model="house-embed", provider="house") as call:
        ...     call.usage(input_tokens=5)

    Args:
        function: The function to decorate; it records by ``current_call()``.
        model: The requested model.
        provider: Who responds.
        server: Host and port of the endpoint.
        dimensions: The number of dimensions that is requested.
    """
    block = EmbeddingsBlock(model=model, provider=provider, server=server, dimensions=dimensions)
    return applied(block, function)


def current_call() -> ModelBlock:
    """Return the innermost `inference` or `embeddings` in progress, to record on.

    Example:
        >>> @inference(model="house-7b", provider="house")
        ... def ask(prompt: str) -> str:
        ...     current_call().usage(input_tokens=11, output_tokens=3)
        ...     return "Sunny."
        >>> ask("How is the weather?")
        'Sunny.'

    Returns:
        An object with the methods of what ``with inference(…)`` binds; without a call in progress
        they do nothing.
    """
    return CurrentCall()
