"""Runs a DSPy program of 100 steps again and again in a process of its own: prints CPU µs a step.

The steps are programs that do nothing, so that DSPy and its instrumentation are measured.

    python tests/benchmarks/program_run.py none|by-hand|ours|openinference [async]
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from measurement import STEPS, print_measured
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

INSTRUMENTORS: Final = MappingProxyType(
    {
        "ours": "otel_agents.instrumentors.dspy",
        "openinference": "openinference.instrumentation.dspy",
    }
)


def instrument(variant: str, tracers: TracerProvider) -> None:
    """Instrument DSPy by one of the packages."""
    if variant in INSTRUMENTORS:
        package: Any = import_module(INSTRUMENTORS[variant])
        package.DSPyInstrumentor().instrument(tracer_provider=tracers)


def program(variant: str) -> Any:
    """Return a program that calls another one for each step, with a span by hand or without."""
    dspy: Any = import_module("dspy")
    tracer = trace.get_tracer("hand")
    by_hand = variant == "by-hand"
    step: dict[str, Any] = {"otel_agents.step.type": "module"}
    root: dict[str, Any] = {"gen_ai.operation.name": "invoke_workflow"}

    class Step(dspy.Module):
        def forward(self, number: int) -> Any:
            if by_hand:
                with tracer.start_as_current_span("module Step", attributes=step):
                    return dspy.Prediction(number=number)
            return dspy.Prediction(number=number)

        async def aforward(self, number: int) -> Any:
            return self.forward(number)

    class Program(dspy.Module):
        def __init__(self) -> None:
            dspy.Module.__init__(self)
            self.steps = [Step() for _ in range(STEPS)]

        def forward(self) -> Any:
            if by_hand:
                with tracer.start_as_current_span("invoke_workflow Program", attributes=root):
                    return [one(number=number) for number, one in enumerate(self.steps)]
            return [one(number=number) for number, one in enumerate(self.steps)]

        async def aforward(self) -> Any:
            if by_hand:
                with tracer.start_as_current_span("invoke_workflow Program", attributes=root):
                    return [await one.acall(number=index) for index, one in enumerate(self.steps)]
            return [await one.acall(number=index) for index, one in enumerate(self.steps)]

    return Program()


def runs(variant: str, *, is_async: bool) -> Callable[[], None]:
    """Return what runs the program once."""
    work = program(variant)
    if not is_async:
        return work
    loop = asyncio.new_event_loop()
    return lambda: loop.run_until_complete(work.acall())


def main() -> None:
    """Measure and print."""
    variant, is_async = sys.argv[1], "async" in sys.argv[2:]
    os.environ["DSPY_CACHEDIR"] = tempfile.mkdtemp()

    def prepare(tracers: TracerProvider) -> Callable[[], None]:
        instrument(variant, tracers)
        return runs(variant, is_async=is_async)

    print_measured(prepare)


if __name__ == "__main__":
    main()
