"""What a person would write around a model call: one span with its attributes, and `json.dumps`."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from opentelemetry.metrics import MeterProvider
from opentelemetry.trace import SpanKind, Tracer

__all__ = ["Attributes", "Call", "by_hand", "messages_json", "parts", "text_of"]

Attributes: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class Call:
    """A model call, and how a person would record it.

    Attributes:
        name: The name of its span.
        start: Attributes of its start.
        send: Sends the request; returns the response.
        read: Returns the attributes of the response and the request, with content or without.
    """

    name: str
    start: Attributes
    send: Callable[[], Any]
    read: Callable[[Any, bool], Attributes]


def by_hand(
    tracer: Tracer, call: Call, *, content: bool, meters: MeterProvider | None = None
) -> Callable[[], Any]:
    """Return what makes a call within a span that is written by hand, with metrics or without."""
    measure = None if meters is None else _measuring(meters, call)

    def run() -> Any:
        start = time.perf_counter()
        with tracer.start_as_current_span(
            call.name, kind=SpanKind.CLIENT, attributes=call.start
        ) as span:
            response = call.send()
            if measure is not None:
                measure(time.perf_counter() - start, response)
            if span.is_recording():
                span.set_attributes(call.read(response, content))
            return response

    return run


def _measuring(meters: MeterProvider, call: Call) -> Callable[[float, Any], None]:
    """Return what records the duration and the tokens of a response."""
    meter = meters.get_meter("hand")
    durations = meter.create_histogram("gen_ai.client.operation.duration", "s")
    tokens = meter.create_histogram("gen_ai.client.token.usage", "{token}")

    def measure(seconds: float, response: Any) -> None:
        common = {**call.start, "gen_ai.response.model": response.model}
        durations.record(seconds, common)
        for kind, number in (
            ("input", response.usage.prompt_tokens),
            ("output", response.usage.completion_tokens),
        ):
            tokens.record(number, {**common, "gen_ai.token.type": kind})

    return measure


def text_of(size: int) -> str:
    """Return a text of a number of bytes."""
    return ("lorem ipsum dolor " * (size // 18 + 1))[:size]


def parts(text: str) -> list[dict[str, str]]:
    """Return a text as the parts of a message."""
    return [{"type": "text", "content": text}]


def messages_json(messages: Iterable[Mapping[str, Any]], **more: Any) -> str:
    """Return messages of a role and a text as the conventions write them."""
    return json.dumps(
        [{"role": one["role"], "parts": parts(one["content"]), **more} for one in messages]
    )
