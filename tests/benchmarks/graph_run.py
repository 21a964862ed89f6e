"""Runs a graph of 100 nodes bare, with spans by hand and instrumented: prints CPU µs a node as JSON.

The nodes do nothing, so that LangGraph and its instrumentation are measured.

    python tests/benchmarks/graph_run.py ours|official|openinference [async]
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final, TypeAlias

from measurement import BARE, BY_HAND, STEPS, Variant, print_measured
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import Tracer
from packages import instrumented

Bodies: TypeAlias = Callable[[int], tuple[Any, Any]]
"""Makes the functions of a node by its number, sync and async."""
STATE: Final[Any] = {"number": 0}
CONFIG: Final[Any] = {"recursion_limit": STEPS + 2}


def plain(number: int) -> tuple[Any, Any]:
    """Return the two functions of a node."""

    def node(state: Any) -> Any:
        return {"number": number}

    async def anode(state: Any) -> Any:
        return {"number": number}

    return node, anode


def by_hand(tracer: Tracer) -> Bodies:
    """Return what makes the same with a span that is written by hand, and has what ours has."""

    def make(number: int) -> tuple[Any, Any]:
        name = f"node node_{number}"

        def node(state: Any) -> Any:
            attributes = {"otel_agents.step.type": "node", "otel_agents.step.number": number}
            with tracer.start_as_current_span(name, attributes=attributes):
                return {"number": number}

        async def anode(state: Any) -> Any:
            attributes = {"otel_agents.step.type": "node", "otel_agents.step.number": number}
            with tracer.start_as_current_span(name, attributes=attributes):
                return {"number": number}

        return node, anode

    return make


def graph(make: Bodies, *, is_async: bool) -> Any:
    """Return the compiled graph: its nodes one after the other."""
    module: Any = import_module("langgraph.graph")
    builder = module.StateGraph(dict)
    names = [f"node_{number}" for number in range(1, STEPS + 1)]
    for number, name in enumerate(names, 1):
        builder.add_node(name, make(number)[is_async])
    for one, other in zip([module.START, *names], [*names, module.END], strict=True):
        builder.add_edge(one, other)
    return builder.compile(name="benchmark")


def runs(work: Any, loop: asyncio.AbstractEventLoop | None) -> Callable[[], None]:
    """Return what runs a graph once."""

    def run() -> None:
        if loop:
            loop.run_until_complete(work.ainvoke(STATE, CONFIG))
        else:
            work.invoke(STATE, CONFIG)

    return run


def variants(package: str, tracers: TracerProvider, *, is_async: bool) -> Mapping[str, Variant]:
    """Return the variants, each with a graph of its own."""
    loop = asyncio.new_event_loop() if is_async else None
    tracer = tracers.get_tracer("hand")
    hand = runs(graph(by_hand(tracer), is_async=is_async), loop)
    attributes = {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "benchmark",
    }

    def run_by_hand() -> None:
        with tracer.start_as_current_span("invoke_workflow benchmark", attributes=attributes):
            hand()

    return {
        BARE: Variant(runs(graph(plain, is_async=is_async), loop)),
        BY_HAND: Variant(run_by_hand),
        package: instrumented(
            package, ["langchain"], runs(graph(plain, is_async=is_async), loop), tracers
        ),
    }


if __name__ == "__main__":
    package, is_async = sys.argv[1], "async" in sys.argv[2:]
    print_measured(lambda tracers: variants(package, tracers, is_async=is_async))
