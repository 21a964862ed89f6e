"""Model calls that the application makes by its own means: claims, as of any outer layer."""

from __future__ import annotations

import time
import weakref
from collections.abc import Mapping, Sequence
from typing import Any, Final

from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.encoding.texts import text_of
from otel_agents.instrumentors._core.errors import warn_once
from otel_agents.instrumentors._core.operations import ClaimedCall, ModelCall
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from .messages import messages
from .options import count
from .uses import Use
from .yielded import Yielded

__all__ = ["OwnCall", "current_call", "embeddings", "inference"]

_DETAILS: Final = (
    attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS,
    attr.GEN_AI_USAGE_CACHE_WRITE_INPUT_TOKENS,
    attr.OTEL_AGENTS_USAGE_CACHE_WRITE_1H_INPUT_TOKENS,
    attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
)
_PARAMETERS: Final = (
    ("temperature", attr.GEN_AI_REQUEST_TEMPERATURE),
    ("max_tokens", attr.GEN_AI_REQUEST_MAX_TOKENS),
    ("stream", attr.GEN_AI_REQUEST_STREAM),
    ("dimensions", attr.GEN_AI_EMBEDDINGS_DIMENSION_COUNT),
)


class OwnCall(ClaimedCall):
    """A model call by the application's own HTTP.

    It is reported when it is over, and only if no SDK below has reported it.
    """

    def __init__(
        self, telemetry: Telemetry, operation: values.Operation, options: Mapping[str, Any]
    ) -> None:
        self._facts: dict[str, Any] = {
            name: options[option] for option, name in _PARAMETERS if options.get(option) is not None
        }
        self._input_tokens: int | None = None
        self._output_tokens: int | None = None
        self._response_model: str | None = None
        self._response_id: str | None = None
        self._finish_reasons: tuple[str, ...] = ()
        self._started_at = time.perf_counter_ns()
        self._yielded: Yielded | None = None
        self._has_output = False
        self.reported: ModelCall | None = None
        """What reports it: our own span, or that of the SDK below."""
        super().__init__(
            telemetry,
            operation,
            model=options.get("model"),
            provider=options.get("provider"),
            sends_itself=True,
            record_request=_nothing if operation is not values.Operation.EMBEDDINGS else None,
        )
        self.server = options.get("server")
        self.context = _CURRENT.set(weakref.ref(self), self.context)

    def record_input(self, value: Any) -> None:
        """Record the prompt."""
        if self._content is not None:
            self._content.input_messages = messages("user", value)

    def record_output(self, value: Any) -> None:
        """Record the response."""
        if self._content is not None:
            self._has_output = True
            self._content.output_messages = messages("assistant", value)

    def record_chunk(self) -> None:
        """Record the time of the first chunk; the conventions have none for embeddings."""
        if self.operation is values.Operation.EMBEDDINGS:
            return
        seconds = (time.perf_counter_ns() - self._started_at) / 1e9
        self._facts.setdefault(attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK, seconds)
        self._facts[attr.GEN_AI_REQUEST_STREAM] = True

    def record_usage(
        self,
        input_tokens: int | None,
        output_tokens: int | None,
        details: Sequence[int | None],
    ) -> None:
        """Record the tokens that are given."""
        self._input_tokens = _given(_count(input_tokens), self._input_tokens)
        self._output_tokens = _given(_count(output_tokens), self._output_tokens)
        known = zip(_DETAILS, map(_count, details), strict=True)
        self._facts.update((name, value) for name, value in known if value is not None)

    def record_response(
        self, id: str | None, model: str | None, finish_reason: str | Sequence[str] | None
    ) -> None:
        """Record what is given of the response."""
        self._response_id = self._response_id if id is None else text_of(id)
        self._response_model = self._response_model if model is None else text_of(model)
        if finish_reason is not None:
            several = isinstance(finish_reason, (list, tuple))
            self._finish_reasons = tuple(
                map(text_of, finish_reason if several else (finish_reason,))
            )

    def chunk(self, item: Any) -> object:
        """Read an item of a decorated generator."""
        self.record_chunk()
        if self._content is not None:
            if self._yielded is None:
                self._yielded = Yielded(self._telemetry.settings.content_max_bytes)
            self._yielded.add(item)
        return None

    def response_id(self, response: Any) -> str | None:
        """Return the id that the application recorded."""
        return self._response_id

    def complete(self, call: ModelCall) -> None:
        """Note the call of the SDK below, which reports."""
        self.reported = call

    def describe(self, call: ModelCall, response: Any) -> None:
        """Set what the application recorded; what a decorated function returned is the output."""
        self.reported = call
        call.response_id = self._response_id
        call.response_model = self._response_model
        call.input_tokens = self._input_tokens
        call.output_tokens = self._output_tokens
        call.finish_reasons = self._finish_reasons
        call.attributes.update(self._facts)
        if self._has_output or self.operation is values.Operation.EMBEDDINGS:
            return  # the conventions have no output of embeddings
        output = response if self._yielded is None else self._yielded.whole()
        if output is not None:
            call.content.output_messages = messages("assistant", output)


_CURRENT: Final = Slot[Any]("own-model-call", weakref.ReferenceType)
"""Weak, since the call's context holds this."""


def current_call() -> OwnCall | None:
    """Return the model call of the application around the current code, if it is in progress."""
    reference = _CURRENT.get()
    call = reference() if reference is not None else None
    return call if isinstance(call, OwnCall) and not call.ended else None


def inference(use: Use) -> CallObserver:
    """Start an inference."""
    return _own_call(use, values.Operation(use.options.get("operation") or values.Operation.CHAT))


def embeddings(use: Use) -> CallObserver:
    """Start a call that embeds texts."""
    return _own_call(use, values.Operation.EMBEDDINGS)


def _own_call(use: Use, operation: values.Operation) -> OwnCall:
    own = OwnCall(use.telemetry, operation, use.options)
    if use.is_call:
        own.record_input(use.given())
    return own


def _given(value: Any, default: Any) -> Any:
    return default if value is None else value


def _count(tokens: object) -> int | None:
    """Return a number of tokens, of whatever JSON held; None, with one line, if it is none."""
    if tokens is None:
        return None
    number = count(tokens)
    if number is not None:
        return number
    warn_once(
        "otel-agents: usage() drops a number of tokens of type %s that is no whole number from 0 on",
        type(tokens).__name__,
    )
    return None


def _nothing(content: Content) -> None:
    """Record nothing yet: the application records the request while it makes it."""
