"""Runs an agent of ten steps bare, with spans by hand and instrumented: prints CPU µs a step as JSON.

A step is a model call and the tool call that it requests. Content is recorded. Packages whose
instrumentor of the framework records no model calls have that of the OpenAI SDK beside it; ours of
both count a model call once.

    python tests/benchmarks/agent_run.py PACKAGE openai_agents|ag2|autogen
"""

from __future__ import annotations

import asyncio
import logging
import os
import sys
from collections.abc import Awaitable, Callable, Mapping
from importlib import import_module
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from agent_steps import MODEL, PROMPT, STEPS, SUM, ByHand, add, replace_network
from measurement import BARE, BY_HAND, Variant, print_measured
from opentelemetry.sdk.trace import TracerProvider
from packages import RECORDED, instrumented

Run: TypeAlias = Callable[[], Awaitable[Any]]
_OF_FRAMEWORK: Final = frozenset(
    {
        ("openinference", "openai_agents"),
        ("openinference", "autogen"),
        ("openllmetry", "openai_agents"),
    }
)
"""Packages that record model calls without an instrumentor of the SDK."""


def asynchronous(tool: Callable[[int], str]) -> Any:
    """Return a tool that the loop runs itself, not a thread."""

    async def called(number: int) -> str:
        """Add a number to the sum."""
        return tool(number)

    called.__name__ = "add"
    return called


def openai_agents(tool: Callable[[int], str]) -> Run:
    """Return what runs an agent of OpenAI's Agents SDK."""
    agents: Any = import_module("agents")
    agents.set_default_openai_api("chat_completions")
    agents.set_trace_processors([])  # OpenAI's exporter, which would send
    agent = agents.Agent(
        name="Bookkeeper", model=MODEL, tools=[agents.function_tool(asynchronous(tool))]
    )

    async def run() -> Any:
        return (await agents.Runner.run(agent, PROMPT, max_turns=2 * STEPS)).final_output

    return run


def ag2(tool: Callable[[int], str]) -> Run:
    """Return what runs an agent of AG2 1.x."""
    library: Any = import_module("ag2")
    http = import_module("httpx2").AsyncClient()  # else one for each run, with its certificates
    options: dict[str, Any] = {"api_key": "none", "max_retries": 0, "http_client": http}
    config = import_module("ag2.config").OpenAIConfig(model=MODEL, **options)
    agent = library.Agent(
        "Bookkeeper", prompt="You count.", config=config, tools=[library.tool(asynchronous(tool))]
    )

    async def run() -> Any:
        return (await agent.ask(PROMPT)).body

    return run


def autogen(tool: Callable[[int], str]) -> Run:
    """Return what runs an agent of AutoGen."""
    agents: Any = import_module("autogen_agentchat.agents")
    clients: Any = import_module("autogen_ext.models.openai")
    client = clients.OpenAIChatCompletionClient(model=MODEL, api_key="none", max_retries=0)
    agent = agents.AssistantAgent(
        "Bookkeeper", client, tools=[asynchronous(tool)], max_tool_iterations=2 * STEPS
    )

    async def run() -> Any:
        await agent.on_reset(import_module("autogen_core").CancellationToken())  # its history
        return (await agent.run(task=PROMPT)).messages[-1].content

    return run


FRAMEWORKS: Final[Mapping[str, Callable[[Callable[[int], str]], Run]]] = MappingProxyType(
    {"openai_agents": openai_agents, "ag2": ag2, "autogen": autogen}
)


def variants(package: str, framework: str, tracers: TracerProvider) -> Mapping[str, Variant]:
    """Return the variants, each with an agent of its own."""
    loop, make = asyncio.new_event_loop(), FRAMEWORKS[framework]
    libraries = (framework,) if (package, framework) in _OF_FRAMEWORK else (framework, "openai")
    hand = ByHand(tracers.get_tracer("hand"))

    def runs(run: Run) -> Callable[[], None]:
        def once() -> None:
            assert loop.run_until_complete(run()) == SUM

        return once

    run = runs(make(hand.add()))

    def run_by_hand() -> None:
        with hand.agent():
            run()

    return {
        BARE: Variant(runs(make(add))),
        BY_HAND: Variant(run_by_hand, hand.enter, hand.leave),
        package: instrumented(package, libraries, runs(make(add)), tracers),
    }


def main() -> None:
    """Measure and print."""
    package, framework = sys.argv[1:3]
    os.environ.update({**RECORDED, "OPENAI_API_KEY": "none"})
    logging.disable()
    replace_network()
    print_measured(lambda tracers: variants(package, framework, tracers), STEPS, 10, 12, 10)


if __name__ == "__main__":
    main()
