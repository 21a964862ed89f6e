"""What the benchmarks share: variants that alternate in blocks in one process, and their medians.

Separate processes differ by more than what is measured, and so do the minutes of a shared machine. So
all variants alternate in blocks in one process: bare, by hand, instrumented. A machine that others
use changes its speed by half within a tenth of a second, so blocks are short and rounds are many. A
block's figure is the median of its runs, and what a variant adds is the median of its differences to
the bare block of the same round.
"""

from __future__ import annotations

import gc
import json
import statistics
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

__all__ = [
    "BARE",
    "BY_HAND",
    "ROUNDS",
    "STEPS",
    "Block",
    "Pipeline",
    "Variant",
    "added",
    "print_measured",
]

STEPS: Final = 100
BARE: Final = "none"
BY_HAND: Final = "by-hand"
ROUNDS: Final = 15
_RUNS: Final = 1
"""Runs in a block."""
_WARM_UP: Final = 2


@dataclass(frozen=True)
class Variant:
    """One way to run the steps that are measured.

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
    weight = 0

    def export(self, spans: Any) -> SpanExportResult:
        """Encode."""
        self.number += len(spans)
        self.weight += len(encode_spans(spans).SerializeToString())
        return SpanExportResult.SUCCESS


@dataclass(frozen=True)
class Block:
    """What one run of a block took."""

    caller: float
    """CPU seconds of this thread: the median of the runs."""
    process: float
    """CPU seconds of the process, with its exporter: the mean of the runs."""
    spans: float
    weight: float
    """Bytes of its encoded spans."""

    def __sub__(self, other: Block) -> Block:
        return Block(
            self.caller - other.caller,
            self.process - other.process,
            self.spans - other.spans,
            self.weight - other.weight,
        )


class Pipeline:
    """A tracer provider, whose spans are exported between the blocks."""

    def __init__(
        self, *, runs: int = _RUNS, unmeasured: int = 1, sampler: Sampler = ALWAYS_ON
    ) -> None:
        self._runs, self._unmeasured, self._spans = runs, unmeasured, Spans()
        self.tracers = TracerProvider(sampler=sampler)
        waiting = 10 * STEPS * runs
        self._processor = BatchSpanProcessor(
            self._spans, max_queue_size=waiting, max_export_batch_size=waiting
        )
        self.tracers.add_span_processor(self._processor)

    def block(self, variant: Variant) -> Block:
        """Measure one block of a variant."""
        variant.enter()
        for _ in range(self._unmeasured):
            variant.run()
        self._processor.force_flush()
        gc.collect()
        number, weight = self._spans.number, self._spans.weight
        process, runs = time.process_time(), [self._run(variant) for _ in range(self._runs)]
        self._processor.force_flush()
        process = time.process_time() - process
        variant.leave()
        return Block(
            statistics.median(runs),
            process / self._runs,
            (self._spans.number - number) / self._runs,
            (self._spans.weight - weight) / self._runs,
        )

    @staticmethod
    def _run(variant: Variant) -> float:
        start = time.thread_time()
        variant.run()
        return time.thread_time() - start

    def alternate(
        self, variants: Mapping[str, Variant], rounds: int = ROUNDS
    ) -> dict[str, list[Block]]:
        """Measure a block of each variant, round after round, in both directions."""
        for _ in range(_WARM_UP):
            for variant in variants.values():
                self.block(variant)
        gc.collect()
        gc.freeze()  # a collection of what was imported takes as long as all that is measured
        blocks: dict[str, list[Block]] = {name: [] for name in variants}
        for number in range(rounds):
            for name in variants if number % 2 else reversed([*variants]):
                blocks[name].append(self.block(variants[name]))
        assert not any(block.spans for block in blocks[BARE]), "instrumentation was not undone"
        return blocks


def print_measured(
    prepare: Callable[[TracerProvider], Mapping[str, Variant]], rounds: int = ROUNDS
) -> None:
    """Print as JSON what each variant but `BARE` adds to a step: CPU µs, and spans of a run."""
    pipeline = Pipeline()
    blocks = pipeline.alternate(prepare(pipeline.tracers), rounds)
    bare = blocks.pop(BARE)
    print(json.dumps({name: added(measured, bare, STEPS) for name, measured in blocks.items()}))


def added(measured: Sequence[Block], bare: Sequence[Block], steps: int) -> dict[str, float]:
    """Return what a variant adds to a bare step: CPU µs and bytes; and the spans of a run."""
    differences = [one - other for one, other in zip(measured, bare, strict=True)]
    caller = statistics.median(difference.caller for difference in differences)
    process = statistics.median(difference.process for difference in differences)
    return {
        "bare": statistics.median(block.caller for block in bare) * 1e6 / steps,
        "caller": caller * 1e6 / steps,
        "process": process * 1e6 / steps,
        "spans": measured[0].spans,
        "bytes": statistics.median(difference.weight for difference in differences) / steps,
    }
