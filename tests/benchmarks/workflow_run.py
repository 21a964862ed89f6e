"""Runs a workflow of 100 steps bare, with spans by hand and instrumented: prints CPU µs a step as JSON.

The steps do nothing, so that LlamaIndex and its instrumentation are measured.

    python tests/benchmarks/workflow_run.py ours|openinference
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from importlib import import_module
from typing import Any, ClassVar

from measurement import BARE, BY_HAND, STEPS, Variant, print_measured
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from packages import instrumented
from workflows import Workflow, step
from workflows.events import Event, StartEvent, StopEvent


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

    tracer: ClassVar[Tracer]

    @step
    async def start(self, event: StartEvent) -> Counted:
        """Do nothing."""
        with self.tracer.start_as_current_span(
            "start", attributes={"otel_agents.step.type": "step"}
        ):
            return Counted(number=2)

    @step
    async def go_on(self, event: Counted) -> Counted | StopEvent:
        """Do nothing."""
        with self.tracer.start_as_current_span(
            "go_on", attributes={"otel_agents.step.type": "step"}
        ):
            return Counted(number=event.number + 1) if event.number < STEPS else StopEvent()


def variants(package: str, tracers: TracerProvider) -> Mapping[str, Variant]:
    """Return the variants."""
    loop, ByHand.tracer = asyncio.new_event_loop(), tracers.get_tracer("hand")
    import_module("llama_index.core")  # which one of them requires
    root: dict[str, Any] = {"gen_ai.operation.name": "invoke_workflow"}

    async def plain() -> None:
        await Plain(timeout=None).run()

    async def by_hand() -> None:
        with ByHand.tracer.start_as_current_span("invoke_workflow ByHand", attributes=root):
            await ByHand(timeout=None).run()

    def run() -> None:
        loop.run_until_complete(plain())

    return {
        BARE: Variant(run),
        BY_HAND: Variant(lambda: loop.run_until_complete(by_hand())),
        package: instrumented(package, ["llama_index"], run, tracers),
    }


if __name__ == "__main__":
    print_measured(lambda tracers: variants(sys.argv[1], tracers))
