"""Runs a crew of ten steps bare, with spans by hand and instrumented: prints CPU µs a step as JSON.

A step is a model call and the tool call that it requests. Content is recorded. Beside CrewAI, the
package's instrumentor of the OpenAI SDK is applied, if it has one that can be undone; ours of CrewAI
and of the SDK count a model call once.

CrewAI runs a step in several threads, so the CPU of the process is measured, on one core: how threads
of two cores wait for each other costs more, and less evenly, than what is measured.

    python tests/benchmarks/crew_run.py PACKAGE
"""

from __future__ import annotations

import logging
import os
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any, Final

os.environ.update(
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_TRACKING="true",
    CREWAI_TRACING_ENABLED="false",
    CREWAI_TESTING="true",
    CREWAI_STORAGE_DIR=tempfile.mkdtemp(),
    OPENAI_API_KEY="none",
)

from agent_steps import MODEL, PROMPT, STEPS, SUM, ByHand, add, replace_network
from measurement import BARE, BY_HAND, Variant, print_measured
from opentelemetry.sdk.trace import TracerProvider
from packages import RECORDED, instrumented

_OF_SDK: Final = frozenset({"ours", "openinference"})
"""Packages whose instrumentor of the SDK is applied too: OpenLLMetry's is not undone."""


def crew(add: Callable[[int], str]) -> Any:
    """Return one agent with one task and one tool."""
    crewai: Any = import_module("crewai")
    tools: Any = import_module("crewai.tools")
    agent = crewai.Agent(
        role="Bookkeeper",
        goal="Add up",
        backstory="You count.",
        llm=crewai.LLM(model=MODEL),
        tools=[tools.tool("add")(add)],
        max_iter=2 * STEPS,
        respect_context_window=False,  # counting tokens would take most of the time
        cache=False,
    )
    task = crewai.Task(description=PROMPT, expected_output="The sum", agent=agent)
    return crewai.Crew(agents=[agent], tasks=[task], cache=False)


def runs(work: Any) -> Callable[[], None]:
    """Return what runs a crew once, and waits for what CrewAI does in other threads."""
    bus: Any = import_module("crewai.events.event_bus").crewai_event_bus

    def run() -> None:
        assert work.kickoff().raw == SUM
        bus.flush()

    return run


def variants(package: str, tracers: TracerProvider) -> Mapping[str, Variant]:
    """Return the variants, each with a crew of its own."""
    libraries = ("crewai", "openai") if package in _OF_SDK else ("crewai",)
    import_module("openai.resources")  # else by its first use, unless an instrumentor has: seconds
    hand = ByHand(tracers.get_tracer("hand"))
    run, start = runs(crew(hand.add())), hand.tracer.start_as_current_span

    def run_by_hand() -> None:
        workflow = {"gen_ai.operation.name": "invoke_workflow"}
        with (
            start("invoke_workflow crew", attributes=workflow),
            start("task", attributes={"otel_agents.step.type": "task"}) as task,
            hand.agent(task),
        ):
            run()

    return {
        BARE: Variant(runs(crew(add))),
        BY_HAND: Variant(run_by_hand, hand.enter, hand.leave),
        package: instrumented(package, libraries, runs(crew(add)), tracers),
    }


def main() -> None:
    """Measure and print."""
    package = sys.argv[1]
    os.environ.update(RECORDED)
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    warnings.simplefilter("ignore")
    logging.disable()
    replace_network()
    print_measured(lambda tracers: variants(package, tracers), STEPS, 8, 6, 8)


if __name__ == "__main__":
    main()
