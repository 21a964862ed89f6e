"""What the benchmarks of runs share: an exporter that sends nothing, and the least CPU of a run."""

from __future__ import annotations

import gc
import json
import time
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

__all__ = ["STEPS", "print_measured"]

STEPS: Final = 100
RUNS: Final = 15
WARM_UP: Final = 3


class Spans(SpanExporter):
    """Encodes and counts, and sends nothing."""

    number = 0

    def export(self, spans: Any) -> SpanExportResult:
        """Encode."""
        self.number += len(spans)
        encode_spans(spans)
        return SpanExportResult.SUCCESS


def least(call: Callable[[], None], flush: Callable[[], bool]) -> tuple[float, float]:
    """Return the CPU seconds of this thread, and of the process with its exporter: the least."""
    for _ in range(WARM_UP):
        call()
    flush()
    gc.collect()
    gc.freeze()  # a collection of what was imported takes as long as all that is measured
    thread: list[float] = []
    process: list[float] = []
    for _ in range(RUNS):
        thread_start, process_start = time.thread_time(), time.process_time()
        call()
        thread.append(time.thread_time() - thread_start)
        flush()
        process.append(time.process_time() - process_start)
    return min(thread), min(process)


def print_measured(prepare: Callable[[TracerProvider], Callable[[], None]]) -> None:
    """Print the CPU µs of a step as JSON: ``prepare`` instruments, and returns a run of `STEPS`."""
    spans, tracers = Spans(), TracerProvider()
    processor = BatchSpanProcessor(spans, max_queue_size=100 * STEPS)
    tracers.add_span_processor(processor)
    trace.set_tracer_provider(tracers)
    thread, process = least(prepare(tracers), processor.force_flush)
    each, made = 1e6 / STEPS, spans.number / (RUNS + WARM_UP)
    print(json.dumps({"caller": thread * each, "process": process * each, "spans": made}))
