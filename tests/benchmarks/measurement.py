"""What the benchmarks of runs share: variants that alternate in one process, and their medians.

Separate processes differ by more than what is measured, and so do the minutes of a shared machine. So
all variants alternate in blocks in one process: bare, by hand, instrumented. What a variant adds
is the median of its differences to the bare block of the same round; such ratios repeat within 10 %.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult

__all__ = ["BARE", "BY_HAND", "STEPS", "Variant", "print_measured"]

STEPS: Final = 100
BARE: Final = "none"
BY_HAND: Final = "by-hand"
_ROUNDS: Final = 40
_RUNS: Final = 2
"""Runs in a block; one before it is not measured."""
_WARM_UP: Final = 3


@dataclass(frozen=True)
class Variant:
    """One way to run `STEPS` steps.

    Attributes:
        run: Runs them once.
        enter: Called before each block, to instrument.
        leave: Called after each block, to undo that.
    """

    run: Callable[[], object]
    enter: Callable[[], object] = bool
    leave: Callable[[], object] = bool


class Spans(SpanExporter):
    """Encodes and counts, and sends nothing."""

    number = 0

    def export(self, spans: Any) -> SpanExportResult:
        """Encode."""
        self.number += len(spans)
        encode_spans(spans)
        return SpanExportResult.SUCCESS


@dataclass(frozen=True)
class _Block:
    caller: float
    """CPU seconds of this thread for a run."""
    process: float
    """The same of the process, with its exporter."""
    spans: float
    """Spans of a run."""


class _Pipeline:
    """A tracer provider, whose spans are exported between the blocks."""

    def __init__(self) -> None:
        self._spans, self.tracers = Spans(), TracerProvider()
        waiting = 10 * STEPS * _RUNS
        self._processor = BatchSpanProcessor(
            self._spans, max_queue_size=waiting, max_export_batch_size=waiting
        )
        self.tracers.add_span_processor(self._processor)
        trace.set_tracer_provider(self.tracers)

    def block(self, variant: Variant) -> _Block:
        """Measure one block of a variant."""
        variant.enter()
        variant.run()
        self._processor.force_flush()
        gc.collect()
        spans, thread, process = self._spans.number, time.thread_time(), time.process_time()
        for _ in range(_RUNS):
            variant.run()
        thread = time.thread_time() - thread
        self._processor.force_flush()
        process = time.process_time() - process
        variant.leave()
        return _Block(thread / _RUNS, process / _RUNS, (self._spans.number - spans) / _RUNS)


def print_measured(prepare: Callable[[TracerProvider], Mapping[str, Variant]]) -> None:
    """Print as JSON what each variant but `BARE` adds to a step: CPU µs, and spans of a run."""
    pipeline = _Pipeline()
    variants = prepare(pipeline.tracers)
    for _ in range(_WARM_UP):
        for variant in variants.values():
            pipeline.block(variant)
    gc.collect()
    gc.freeze()  # a collection of what was imported takes as long as all that is measured
    blocks: dict[str, list[_Block]] = {name: [] for name in variants}
    for round_number in range(_ROUNDS):
        names = list(variants)
        for name in names if round_number % 2 else reversed(names):
            blocks[name].append(pipeline.block(variants[name]))
    bare = blocks.pop(BARE)
    assert not any(block.spans for block in bare), "instrumentation was not undone"
    print(json.dumps({name: _added(measured, bare) for name, measured in blocks.items()}))


def _added(measured: list[_Block], bare: list[_Block]) -> dict[str, float]:
    pairs = list(zip(measured, bare, strict=True))
    caller = statistics.median(one.caller - other.caller for one, other in pairs)
    process = statistics.median(one.process - other.process for one, other in pairs)
    each = 1e6 / STEPS
    return {"caller": caller * each, "process": process * each, "spans": measured[0].spans}
