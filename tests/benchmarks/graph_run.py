"""Runs a graph of 100 nodes again and again in a process of its own: prints CPU µs a node as JSON.

The nodes do nothing, so that LangGraph and its instrumentation are measured.

    python tests/benchmarks/graph_run.py none|by-hand|ours|official|openinference [async]
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final

from measurement import STEPS, print_measured
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider

INSTRUMENTORS: Final = MappingProxyType(
    {
        "ours": "otel_agents.instrumentors.langchain",
        "official": "opentelemetry.instrumentation.genai.langchain",
        "openinference": "openinference.instrumentation.langchain",
    }
)
STATE: Final[Any] = {"number": 0}
CONFIG: Final[Any] = {"recursion_limit": STEPS + 2}


def instrument(variant: str, tracers: TracerProvider) -> None:
    """Instrument LangChain by one of the packages."""
    if variant in INSTRUMENTORS:
        package: Any = import_module(INSTRUMENTORS[variant])
        package.LangChainInstrumentor().instrument(tracer_provider=tracers)


def bodies(variant: str) -> Callable[[str, int], tuple[Any, Any]]:
    """Return what makes the two functions of a node, with a span by hand or without."""
    tracer = trace.get_tracer("hand")

    def plain(name: str, number: int) -> tuple[Any, Any]:
        def node(state: Any) -> Any:
            return {"number": number}

        async def anode(state: Any) -> Any:
            return {"number": number}

        return node, anode

    def by_hand(name: str, number: int) -> tuple[Any, Any]:
        attributes: dict[str, Any] = {
            "otel_agents.step.type": "node",
            "otel_agents.step.number": number,
        }

        def node(state: Any) -> Any:
            with tracer.start_as_current_span(name, attributes=attributes):
                return {"number": number}

        async def anode(state: Any) -> Any:
            with tracer.start_as_current_span(name, attributes=attributes):
                return {"number": number}

        return node, anode

    return by_hand if variant == "by-hand" else plain


def graph(variant: str, *, is_async: bool) -> Any:
    """Return the compiled graph: its nodes one after the other."""
    module: Any = import_module("langgraph.graph")
    make = bodies(variant)
    builder = module.StateGraph(dict)
    names = [f"node_{number}" for number in range(STEPS)]
    for number, name in enumerate(names):
        builder.add_node(name, make(name, number)[is_async])
    for one, other in zip([module.START, *names], [*names, module.END], strict=True):
        builder.add_edge(one, other)
    return builder.compile(name="benchmark")


def calls(variant: str, *, is_async: bool) -> Callable[[], None]:
    """Return what runs the graph once."""
    tracer, work, loop = trace.get_tracer("hand"), graph(variant, is_async=is_async), None
    if is_async:
        loop = asyncio.new_event_loop()
    root: dict[str, Any] = {"gen_ai.operation.name": "invoke_workflow"}

    def plain() -> None:
        if loop:
            loop.run_until_complete(work.ainvoke(STATE, CONFIG))
        else:
            work.invoke(STATE, CONFIG)

    def by_hand() -> None:
        with tracer.start_as_current_span("invoke_workflow benchmark", attributes=root):
            plain()

    return by_hand if variant == "by-hand" else plain


def main() -> None:
    """Measure and print."""
    variant, is_async = sys.argv[1], "async" in sys.argv[2:]

    def prepare(tracers: TracerProvider) -> Callable[[], None]:
        instrument(variant, tracers)
        return calls(variant, is_async=is_async)

    print_measured(prepare)


if __name__ == "__main__":
    main()
