"""Runs a DSPy program of 100 steps bare, with spans by hand and instrumented: prints CPU µs a step.

The steps are programs that do nothing, so that DSPy and its instrumentation are measured.

    python tests/benchmarks/program_run.py ours|openinference [async]
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from measurement import BARE, BY_HAND, STEPS, Variant, print_measured
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from packages import instrumented


def program(tracer: Tracer | None = None) -> Any:
    """Return a program that calls another one for each step, with a span by hand or without."""
    dspy: Any = import_module("dspy")
    step: dict[str, Any] = {"otel_agents.step.type": "module"}
    root: dict[str, Any] = {"gen_ai.operation.name": "invoke_workflow"}

    def body(number: int) -> Any:
        if tracer:
            with tracer.start_as_current_span("module Step", attributes=step):
                return dspy.Prediction(number=number)
        return dspy.Prediction(number=number)

    class Step(dspy.Module):
        def forward(self, number: int) -> Any:
            return body(number)

        async def aforward(self, number: int) -> Any:
            return body(number)

    class Program(dspy.Module):
        def __init__(self) -> None:
            dspy.Module.__init__(self)
            self.steps = [Step() for _ in range(STEPS)]

        def forward(self) -> Any:
            if tracer:
                with tracer.start_as_current_span("invoke_workflow Program", attributes=root):
                    return [one(number=number) for number, one in enumerate(self.steps)]
            return [one(number=number) for number, one in enumerate(self.steps)]

        async def aforward(self) -> Any:
            if tracer:
                with tracer.start_as_current_span("invoke_workflow Program", attributes=root):
                    return [await one.acall(number=index) for index, one in enumerate(self.steps)]
            return [await one.acall(number=index) for index, one in enumerate(self.steps)]

    return Program()


def runs(work: Any, loop: asyncio.AbstractEventLoop | None) -> Callable[[], Any]:
    """Return what runs a program once."""
    return work if loop is None else lambda: loop.run_until_complete(work.acall())


def variants(package: str, tracers: TracerProvider, *, is_async: bool) -> Mapping[str, Variant]:
    """Return the variants."""
    loop = asyncio.new_event_loop() if is_async else None
    plain = runs(program(), loop)
    return {
        BARE: Variant(plain),
        BY_HAND: Variant(runs(program(tracers.get_tracer("hand")), loop)),
        package: instrumented(package, ["dspy"], plain, tracers),
    }


if __name__ == "__main__":
    package, is_async = sys.argv[1], "async" in sys.argv[2:]
    os.environ["DSPY_CACHEDIR"] = tempfile.mkdtemp()
    print_measured(lambda tracers: variants(package, tracers, is_async=is_async))
