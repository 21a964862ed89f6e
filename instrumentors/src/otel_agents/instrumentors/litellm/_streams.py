"""What a stream has yielded, as the provider sent it, and the proxies through which it is read."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Generator, Iterable
from typing import TYPE_CHECKING, TypeGuard

from otel_agents.instrumentors._core.calls.reporting import StreamObserver
from otel_agents.instrumentors._core.calls.results import MODELS
from otel_agents.instrumentors._core.calls.streams import AsyncStreamProxy, StreamProxy
from otel_agents.instrumentors._core.operations import ModelCall
from otel_agents.instrumentors._dialects.anthropic.accumulator import (
    Accumulator as AnthropicAccumulator,
)
from otel_agents.instrumentors._dialects.anthropic.accumulator import ServerSentEvents
from otel_agents.instrumentors._dialects.anthropic.api import MESSAGES
from otel_agents.instrumentors._dialects.anthropic.usage import counts_of, usage_of
from otel_agents.instrumentors._dialects.api import Accumulator, Api
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import Body, field, items, text
from otel_agents.instrumentors._dialects.openai.responses import FINAL_EVENTS

from ._results import model_of, stream_id, usage_of_stream

if TYPE_CHECKING:
    from ._types import Chunk, CustomStreamWrapper, Response, Stream

__all__ = ["StreamRecord", "is_generator", "is_stream", "is_unsent", "observed"]


class StreamRecord:
    """What a stream has yielded so far, as the provider sent it.

    Args:
        api: The wire format; None if it does not stream.
        content: Whether to accumulate the content.
    """

    def __init__(self, api: Api | None, content: bool) -> None:
        self._accumulator: Accumulator | None = None
        self._events: ServerSentEvents | None = None
        if api is MESSAGES:  # nothing else holds the id, model and usage of these streams
            self._events, self._accumulator = ServerSentEvents(), AnthropicAccumulator(content)
        self._make = api.accumulator if api is not None and content else None
        self.exists = False
        """Whether the call returned a stream."""
        self.wrapper: CustomStreamWrapper | None = None
        """The ``CustomStreamWrapper`` around the provider's stream, if there is one."""
        self.error_code: str | None = None
        self._final: Response | None = None
        self._id: str | None = None
        self._model: str | None = None
        self._counts: dict[str, int] = {}
        self._chunks: list[Chunk] = []

    def add(self, item: Chunk | bytes) -> None:
        """Add what the caller has read: a chunk, an event, or the bytes of events."""
        self.exists = True
        if isinstance(item, bytes):
            for event in self._events.read(item) if self._events is not None else ():
                self.add(event)
            return
        if self._accumulator is None and self._make is not None:
            self._accumulator = self._make()
        if self._accumulator is not None:
            self._accumulator.add(item)
        kind = text(item, "type")
        if kind in FINAL_EVENTS:
            self._final = field(item, "response")
        elif kind == "error":  # the provider's own event: OpenAI's responses, Anthropic's messages
            self.error_code = code_in(item, "code", "type") or kind
        elif not self._chunks or field(item, "usage") is not None or _finish_reasons([item]):
            self._chunks.append(item)

    @property
    def identified(self) -> bool:
        """Whether the provider's response id and model are known."""
        return self._id is not None and self._model is not None

    def identify(self, event: Body | None) -> None:
        """Take id and model from a provider's event: LiteLLM's chunks have names of its own."""
        self._id = self._id or text(event, "id") or text(event, "responseId")
        self._model = self._model or text(event, "model") or text(event, "modelVersion")

    def add_anthropic_event(self, message: Body | None, usage: Body | None) -> None:
        """Take what LiteLLM's chunks leave out of an Anthropic event: the id and part of the usage.

        Args:
            message: The message of a ``message_start``, else None.
            usage: The token counts of the event; later ones replace earlier ones.
        """
        self.identify(message)
        for source in (field(message, "usage"), usage):
            self._counts.update(counts_of(source))

    def response(self) -> Response | None:
        """Return the whole response, where the wire format allows that; else None."""
        if self._final is None and isinstance(self._accumulator, AnthropicAccumulator):
            return self._accumulator.response()
        return self._final

    def describe(self, call: ModelCall, route: str | None) -> None:
        """Set on ``call`` what the chunks of the stream hold.

        Args:
            call: The inference.
            route: LiteLLM's name of the provider.
        """
        # The wrapper keeps the chunks as the provider sent them. The last chunk that it yields may
        # have a usage that LiteLLM has counted by its own tokenizer:
        # https://github.com/BerriAI/litellm/pull/21011
        chunks = self._chunks if self.wrapper is None else list(self.wrapper.chunks)
        first = chunks[0] if chunks else None
        call.response_id = self._id or stream_id(first)
        call.response_model = (
            self._model if self.wrapper is not None else model_of(first, route, None)
        )
        usage = usage_of(self._counts) or usage_of_stream(chunks)
        if usage is not None:
            call.input_tokens, call.output_tokens = usage.input_tokens, usage.output_tokens
            call.attributes.update(usage.breakdown)
        call.finish_reasons = _finish_reasons(chunks)
        if self._accumulator is not None:
            call.content.output_messages = self._accumulator.messages


def _finish_reasons(chunks: Iterable[Chunk]) -> tuple[str, ...]:
    reasons: dict[int, str | None] = {}
    for chunk in chunks:
        for choice in items(chunk, "choices"):
            index, reason = field(choice, "index") or 0, text(choice, "finish_reason")
            reasons[index] = reason or reasons.get(index)
    ordered = [reason for _, reason in sorted(reasons.items())]
    return tuple(reason or "error" for reason in ordered) if any(ordered) else ()


def is_stream(value: Response | Stream) -> TypeGuard[Stream]:
    """Return whether a call returned a stream, sync or async."""
    kind = type(value)
    if kind in MODELS:  # a hot path: a model raises an error inside for what it does not have
        return False
    is_read_later = hasattr(value, "__next__") or hasattr(value, "__anext__")
    if not is_read_later and hasattr(kind, "__pydantic_extra__"):
        MODELS.put(kind, None)
    return is_read_later


def is_unsent(stream: Stream) -> bool:
    """Return whether a stream sends its request when its first item is read."""
    return (
        getattr(stream, "completion_stream", stream) is None
        and getattr(stream, "make_call", None) is not None
    )


def is_generator(stream: Stream) -> bool:
    """Return whether a stream wraps a generator, as from the application's `CustomLLM`."""
    source = getattr(stream, "completion_stream", None)
    return isinstance(source, (Generator, AsyncGenerator))


def observed(
    stream: Stream, observer: StreamObserver, *, asynchronous: bool
) -> StreamProxy | AsyncStreamProxy:
    """Return a proxy that reports ``stream`` to ``observer``."""
    if asynchronous:
        return AsyncStreamProxy(stream, observer)
    proxy = _DualStreamProxy if hasattr(stream, "__aiter__") else StreamProxy
    return proxy(stream, observer)


class _DualStreamProxy(StreamProxy):
    """A stream that can be read asynchronously too: then the asynchronous proxy reports it."""

    __slots__ = ()

    def __aiter__(self) -> AsyncStreamProxy:
        object.__setattr__(self, "_otel_ended", True)
        return AsyncStreamProxy(self._otel_wrapped, self._otel_observer)
