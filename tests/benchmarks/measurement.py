"""What the benchmarks share: variants that alternate in blocks in one process, and their medians.

Separate processes differ by more than what is measured, and so do the minutes of a shared machine. So
all variants alternate in blocks in one process: bare, by hand, instrumented. To instrument and to undo
it makes CPython forget how it has specialized the code around, which takes some 100 calls to come back:
a block first makes calls that are not measured. A machine that others use changes its speed within a
tenth of a second; the quickest runs of a block are those that had the machine for themselves, so a
block's figure is the lower decile of its runs: of a long run the sum of the lower deciles of its parts.
What a variant adds is the median of the differences between its block and the bare one of the same
round.
"""

from __future__ import annotations

import gc
import json
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, Sampler

__all__ = [
    "BARE",
    "BY_HAND",
    "STEPS",
    "Block",
    "Pipeline",
    "Variant",
    "mark",
    "print_added",
    "print_measured",
]

STEPS: Final = 100
"""Steps of a run, of frameworks whose steps do nothing."""
BARE: Final = "none"
BY_HAND: Final = "by-hand"
_MARKS: Final[list[tuple[float, float]]] = []
"""CPU seconds of the caller and the process, at the parts' ends of the run in progress."""
_CALLER: Final = time.pthread_getcpuclockid(threading.get_ident())
"""The clock of the calling thread, which other threads can read."""
_WAITING: Final = 50_000
"""Spans that may wait: more than a block has."""


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

    def export(self, spans: Any) -> SpanExportResult:
        """Encode."""
        self.number += len(spans)
        encode_spans(spans).SerializeToString()
        return SpanExportResult.SUCCESS


@dataclass(frozen=True)
class Block:
    """What a run of a block took."""

    caller: float
    """CPU seconds of this thread."""
    process: float
    """CPU seconds of the process, with its share of the export."""
    spans: float

    def __sub__(self, other: Block) -> Block:
        return Block(
            self.caller - other.caller, self.process - other.process, self.spans - other.spans
        )


class Pipeline:
    """A tracer provider, whose spans are exported between the runs that are measured.

    Args:
        runs: Those that a block measures.
        unmeasured: Those before them.
        sampler: The provider's.
        metrics: Whether there is a meter provider, which collects nothing.
    """

    def __init__(
        self, runs: int, unmeasured: int, sampler: Sampler = ALWAYS_ON, *, metrics: bool = False
    ) -> None:
        self._runs, self._unmeasured, self._spans = runs, unmeasured, Spans()
        self.tracers = TracerProvider(sampler=sampler)
        self._processor = BatchSpanProcessor(
            self._spans, max_queue_size=_WAITING, max_export_batch_size=_WAITING
        )
        self.tracers.add_span_processor(self._processor)
        self.meters = MeterProvider([InMemoryMetricReader()]) if metrics else None

    def block(self, variant: Variant) -> Block:
        """Measure one block of a variant."""
        variant.enter()
        for _ in range(self._unmeasured):
            variant.run()
        self._processor.force_flush()
        gc.collect()
        number = self._spans.number
        runs = [self._run(variant) for _ in range(self._runs)]
        exported = time.process_time()
        self._processor.force_flush()
        exported = time.process_time() - exported
        variant.leave()
        callers, processes = (
            sum(_lower_decile(part) for part in zip(*parts, strict=True))
            for parts in zip(*runs, strict=True)
        )
        return Block(
            callers,
            processes + exported / self._runs,
            (self._spans.number - number) / self._runs,
        )

    @staticmethod
    def _run(variant: Variant) -> tuple[list[float], list[float]]:
        """Return what each part of a run took, the caller and the process."""
        _MARKS.clear()
        mark()
        variant.run()
        mark()
        callers, processes = zip(*_MARKS, strict=True)
        return [*_between(callers)], [*_between(processes)]

    def alternate(self, variants: Mapping[str, Variant], rounds: int) -> dict[str, list[Block]]:
        """Measure a block of each variant, round after round, in both directions."""
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


def mark() -> None:
    """Note that a part of a run has ended: a script calls it within a long run."""
    _MARKS.append((time.clock_gettime(_CALLER), time.process_time()))


def _between(times: Sequence[float]) -> Iterator[float]:
    return (after - before for before, after in pairwise(times))


def _lower_decile(figures: Sequence[float]) -> float:
    return sorted(figures)[len(figures) // 10]


def print_measured(
    prepare: Callable[[TracerProvider], Mapping[str, Variant]],
    steps: int = STEPS,
    runs: int = 10,
    unmeasured: int = 2,
    rounds: int = 15,
) -> None:
    """Print as JSON what each variant but `BARE` adds to a step: CPU µs, and spans of a run."""
    pipeline = Pipeline(runs, unmeasured)
    print_added(pipeline.alternate(prepare(pipeline.tracers), rounds), steps)


def print_added(blocks: Mapping[str, Sequence[Block]], steps: int) -> None:
    """Print this of blocks that were measured."""
    bare = blocks[BARE]
    others = {name: measured for name, measured in blocks.items() if name != BARE}
    print(json.dumps({name: _added(measured, bare, steps) for name, measured in others.items()}))


def _added(measured: Sequence[Block], bare: Sequence[Block], steps: int) -> dict[str, float]:
    """Return what a variant adds to a bare step, in CPU µs, and the spans of a run."""
    differences = [one - other for one, other in zip(measured, bare, strict=True)]
    caller = statistics.median(difference.caller for difference in differences)
    process = statistics.median(difference.process for difference in differences)
    return {
        "bare": statistics.median(block.caller for block in bare) * 1e6 / steps,
        "caller": caller * 1e6 / steps,
        "process": process * 1e6 / steps,
        "spans": measured[0].spans,
    }
