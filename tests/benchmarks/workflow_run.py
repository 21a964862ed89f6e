"""Runs a workflow of 100 steps again and again in a process of its own: prints CPU µs a step as JSON.

The steps do nothing, so that LlamaIndex and its instrumentation are measured.

    python tests/benchmarks/workflow_run.py none|by-hand|ours|openinference
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from graph_run import RUNS, WARM_UP, Spans, measured
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent

STEPS: Final = 100
INSTRUMENTORS: Final = MappingProxyType(
    {
        "ours": "otel_agents.instrumentors.llama_index",
        "openinference": "openinference.instrumentation.llama_index",
    }
)
tracer: Final = trace.get_tracer("hand")


class Counted(Event):
    """The number of the next step."""

    number: int


class Plain(Workflow):
    """Steps one after the other."""

    @step
    async def start(self, event: StartEvent) -> Counted:
        """Do nothing."""
        return Counted(number=2)

    @step
    async def go_on(self, event: Counted) -> Counted | StopEvent:
        """Do nothing."""
        return Counted(number=event.number + 1) if event.number < STEPS else StopEvent()


class ByHand(Workflow):
    """The same, with a span that is written by hand in each."""

    @step
    async def start(self, event: StartEvent) -> Counted:
        """Do nothing."""
        with tracer.start_as_current_span("start", attributes={"otel_agents.step.type": "step"}):
            return Counted(number=2)

    @step
    async def go_on(self, event: Counted) -> Counted | StopEvent:
        """Do nothing."""
        with tracer.start_as_current_span("go_on", attributes={"otel_agents.step.type": "step"}):
            return Counted(number=event.number + 1) if event.number < STEPS else StopEvent()


def instrument(variant: str, tracers: TracerProvider) -> None:
    """Instrument LlamaIndex by one of the packages."""
    if variant in INSTRUMENTORS:
        import_module("llama_index.core")  # which one of them requires
        package: Any = import_module(INSTRUMENTORS[variant])
        package.LlamaIndexInstrumentor().instrument(tracer_provider=tracers)


def calls(variant: str) -> Callable[[], None]:
    """Return what runs the workflow once."""
    loop = asyncio.new_event_loop()
    root: dict[str, Any] = {"gen_ai.operation.name": "invoke_workflow"}

    async def plain() -> None:
        await Plain(timeout=None).run()

    async def by_hand() -> None:
        with tracer.start_as_current_span("invoke_workflow ByHand", attributes=root):
            await ByHand(timeout=None).run()

    run = by_hand if variant == "by-hand" else plain
    return lambda: loop.run_until_complete(run())


def main() -> None:
    """Measure and print."""
    variant = sys.argv[1]
    spans, tracers = Spans(), TracerProvider()
    processor = BatchSpanProcessor(spans, max_queue_size=200 * STEPS)
    tracers.add_span_processor(processor)
    trace.set_tracer_provider(tracers)
    instrument(variant, tracers)
    thread, process = measured(calls(variant), processor.force_flush)
    each, made = 1e6 / STEPS, spans.number / (RUNS + WARM_UP)
    print(json.dumps({"caller": thread * each, "process": process * each, "spans": made}))


if __name__ == "__main__":
    main()
