"""Measures what the instrumentation of a chat of 1 KB costs the process: prints it as JSON.

``encoding``: CPU µs to encode a span for OTLP, beside those that `json.dumps` of its content takes.
``memory``: bytes that a span holds while 10,000 of them wait for export.
``loop``: calls that 200 tasks make in a second of CPU of their event loop, over those of bare calls.
``http-loop``: the same with a server in another process, so that the loop sends and receives, too.

    python tests/benchmarks/process_run.py encoding|memory|loop|http-loop
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import statistics
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from handwritten import by_hand
from measurement import BARE, BY_HAND
from openai_requests import async_chat, chat, messages_of
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import ReadableSpan, SpanProcessor, TracerProvider
from opentelemetry.trace import SpanKind
from packages import OURS, RECORDED, UNRECORDED, instrumentor

WAITING: Final = 10_000
TASKS: Final = 200
_SPANS: Final = 200
_ROUNDS: Final = 15
_LOOP_ROUNDS: Final = 8
_HTTP_ROUNDS: Final = 4
_LOOP_RUNS: Final = 4
"""The first is not measured."""
CONTENT: Final = "content on"
NO_CONTENT: Final = "content off"


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


class Loop:
    """An event loop with 200 tasks that call a model, of a server if one is given."""

    def __init__(self, url: str | None = None) -> None:
        self.recorders, self._loop = Recorders(), asyncio.new_event_loop()
        self._call, self._send = chat(1000), async_chat(1000, url)
        self.rates: dict[str, list[float]] = {}

    async def by_hand(self, content: bool) -> None:
        """Call the model within a span that is written by hand."""
        tracer, call = self.recorders.tracers.get_tracer("hand"), self._call
        with tracer.start_as_current_span(
            call.name, kind=SpanKind.CLIENT, attributes=call.start
        ) as span:
            span.set_attributes(call.read(await self._send(), content))

    def measure(self, name: str, call: Callable[[], Awaitable[Any]] | None = None) -> None:
        """Measure a round: the quickest of a few times in which each task makes a call."""
        call = call or self._send

        async def tasks() -> None:
            await asyncio.gather(*(call() for _ in range(TASKS)))

        seconds: list[float] = []
        for _ in range(_LOOP_RUNS):
            start = time.thread_time()
            self._loop.run_until_complete(tasks())
            seconds.append(time.thread_time() - start)
            self.recorders.waiting.spans.clear()
        self.rates.setdefault(name, []).append(TASKS / min(seconds[1:]))


def loop(url: str | None = None, rounds: int = _LOOP_ROUNDS) -> dict[str, float]:
    """Measure the loop: calls in a second of its CPU, over bare ones, with content and without."""
    running = Loop(url)
    instrumentor, tracers = running.recorders.instrumentor, running.recorders.tracers
    for _ in range(rounds):
        running.measure(BARE)
        for name, variables in ((CONTENT, RECORDED), (NO_CONTENT, UNRECORDED)):
            running.measure(f"{name}, {BY_HAND}", partial(running.by_hand, name == CONTENT))
            os.environ.update(variables)
            instrumentor.instrument(tracer_provider=tracers)
            running.measure(f"{name}, {OURS}")
            instrumentor.uninstrument()
    bare = running.rates[BARE]
    return {
        name: statistics.median(one / other for one, other in zip(found, bare, strict=True))
        for name, found in running.rates.items()
    }


def http_loop() -> dict[str, float]:
    """Measure the loop with a server."""
    command = [sys.executable, str(Path(__file__).with_name("chat_server.py"))]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None, "it is a pipe"
            return loop(server.stdout.readline().strip(), _HTTP_ROUNDS)
        finally:
            server.kill()


PARTS: Final[Mapping[str, Callable[[], dict[str, float]]]] = MappingProxyType(
    {"encoding": encoding, "memory": memory, "loop": loop, "http-loop": http_loop}
)


if __name__ == "__main__":
    os.environ.update(RECORDED)
    print(json.dumps(PARTS[sys.argv[1]]()))
