"""Measures what the instrumentation of a chat of 1 KB costs the process: prints it as JSON.

``encoding``: CPU µs to encode a span for OTLP, beside those that `json.dumps` of its content takes.
``memory``: bytes that a span holds while 10,000 of them wait for export.
``loop``: calls that 200 tasks make in a second of CPU of their event loop.

    python tests/benchmarks/process_run.py encoding|memory|loop
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import sys
import time
import tracemalloc
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from handwritten import by_hand
from measurement import BARE, BY_HAND
from openai_requests import async_chat, chat, messages_of
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from packages import OURS, RECORDED, UNRECORDED, instrumentor

WAITING: Final = 10_000
TASKS: Final = 200
_SPANS: Final = 200
_ROUNDS: Final = 15
_LOOP_ROUNDS: Final = 8


class Waiting(SpanProcessor):
    """Keeps the spans that would wait for export."""

    def __init__(self) -> None:
        self.spans: list[ReadableSpan] = []

    def on_end(self, span: ReadableSpan) -> None:
        """Keep one."""
        self.spans.append(span)


class Recorders:
    """A tracer provider whose spans wait, and calls that are recorded in it."""

    def __init__(self) -> None:
        self.waiting, self.tracers = Waiting(), TracerProvider()
        self.tracers.add_span_processor(self.waiting)
        self.instrumentor = instrumentor(OURS, "openai")

    def spans(self, who: str, number: int) -> list[ReadableSpan]:
        """Return the spans of a number of calls."""
        call = chat(1000)
        run: Callable[[], Any] = call.send
        if who == BY_HAND:
            run = by_hand(self.tracers.get_tracer("hand"), call, content=True)
        else:
            self.instrumentor.instrument(tracer_provider=self.tracers)
        for _ in range(number):
            run()
        if who == OURS:
            self.instrumentor.uninstrument()
        spans, self.waiting.spans = self.waiting.spans, []
        return spans


def encoding() -> dict[str, float]:
    """Measure the encoding of spans, and that of their content."""
    recorders, figures = Recorders(), dict[str, list[float]]()
    batches = {who: recorders.spans(who, _SPANS) for who in (BY_HAND, OURS)}
    messages = messages_of(1000)

    def content() -> None:
        for _ in range(_SPANS):
            json.dumps(messages)

    def encoder(spans: list[ReadableSpan]) -> Callable[[], None]:
        def encode() -> None:
            encode_spans(spans).SerializeToString()

        return encode

    work: dict[str, Callable[[], None]] = {"json": content}
    work |= {who: encoder(spans) for who, spans in batches.items()}
    gc.collect()
    gc.freeze()
    for _ in range(_ROUNDS):
        for name, run in work.items():
            start = time.thread_time()
            run()
            figures.setdefault(name, []).append((time.thread_time() - start) / _SPANS)
    return {name: statistics.median(found) * 1e6 for name, found in figures.items()}


def memory() -> dict[str, float]:
    """Measure what waiting spans hold, as `tracemalloc` counts it."""
    recorders, figures = Recorders(), dict[str, float]()
    for who in (BY_HAND, OURS):
        recorders.spans(who, 10)
        gc.collect()
        tracemalloc.start()
        spans = recorders.spans(who, WAITING // 10)
        gc.collect()
        figures[who] = tracemalloc.get_traced_memory()[0] / len(spans)
        tracemalloc.stop()
    return figures


def loop() -> dict[str, float]:
    """Measure an event loop with 200 tasks that call a model, with content and without."""
    recorders, running = Recorders(), asyncio.new_event_loop()
    send = async_chat(1000)
    rates: dict[str, list[float]] = {}

    async def tasks() -> None:
        await asyncio.gather(*(send() for _ in range(TASKS)))

    def measure(name: str) -> None:
        running.run_until_complete(tasks())
        start = time.thread_time()
        running.run_until_complete(tasks())
        rates.setdefault(name, []).append(TASKS / (time.thread_time() - start))
        recorders.waiting.spans.clear()

    for _ in range(_LOOP_ROUNDS):
        measure(BARE)
        for name, variables in (("content", RECORDED), ("no content", UNRECORDED)):
            os.environ.update(variables)
            recorders.instrumentor.instrument(tracer_provider=recorders.tracers)
            measure(name)
            recorders.instrumentor.uninstrument()
    bare = rates[BARE]
    ratios = {
        name: statistics.median(one / other for one, other in zip(found, bare, strict=True))
        for name, found in rates.items()
    }
    return {**ratios, BARE: statistics.median(bare)}


PARTS: Final[Mapping[str, Callable[[], dict[str, float]]]] = MappingProxyType(
    {"encoding": encoding, "memory": memory, "loop": loop}
)


if __name__ == "__main__":
    os.environ.update(RECORDED)
    print(json.dumps(PARTS[sys.argv[1]]()))
