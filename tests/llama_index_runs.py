"""Agents and workflows of LlamaIndex, and the trees of their runs, in whatever version is installed."""

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

import pytest
from llama_index.core.workflow import Event, StartEvent, StopEvent, Workflow
from llama_index_parts import CHAT, WORKFLOWS
from packaging.version import Version

from otel_agents.testing.emission import Emission

__all__ = [
    "FLOW",
    "WRAPPED",
    "WRAPS",
    "Drafted",
    "JokeFlow",
    "Loop",
    "Part",
    "Run",
    "agents",
    "errors",
    "failures",
    "in_threads",
    "memories",
    "started",
    "step",
    "tools",
    "turn",
    "workflows",
]

agents: Any = import_module("llama_index.core.agent.workflow")  # its types are partly unknown
tools: Any = import_module("llama_index.core.tools")
workflows: Any = import_module("llama_index.core.workflow")
memories: Any = import_module("llama_index.core.memory")
step: Any = workflows.step
_IN_CORE = Version("1") > WORKFLOWS
_HOLDER = "llama_index.core.workflow.errors" if _IN_CORE else "workflows.errors"
failures: Any = import_module(_HOLDER)
WRAPS = Version("2") > WORKFLOWS
"""Whether what fails in a step fails the workflow with an error of LlamaIndex."""
WRAPPED = f"{failures.WorkflowRuntimeError.__module__}.WorkflowRuntimeError"
in_threads = pytest.mark.skipif(
    Version("2.11") > WORKFLOWS, reason="its threads have no context, unless the distro carries it"
)

Loop = asyncio.AbstractEventLoop
Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


def turn(name: str, depth: int = 0, calls: tuple[str, ...] = ("add",)) -> list[str]:
    """Return the tree of an agent that calls a tool and then answers."""
    lines = [f"invoke_agent {name}".strip(), f"  {CHAT}"]
    for call in calls:
        lines += [f"  execute_tool {call}", f"  {CHAT}"]
    return ["  " * depth + line for line in lines]


def errors(emission: Emission) -> dict[str, object]:
    """Return the error type of each span that has one, by the span's name."""
    found = {span.name: (span.attributes or {}).get("error.type") for span in emission.spans}
    return {name: error for name, error in found.items() if error is not None}


def started(workflow: Any, **topic: str) -> Any:
    """Run a workflow; the type of its result is unknown."""
    return workflow.run(**topic)


class Drafted(Event):
    """A draft."""

    text: str


class Part(Event):
    """A part of what a workflow does at once."""

    number: int


class JokeFlow(Workflow):
    """A workflow of two steps."""

    llm: Any

    def __init__(self, llm: Any) -> None:
        super().__init__()
        self.llm = llm

    @step
    async def draft(self, event: StartEvent) -> Drafted:
        return Drafted(text=str(await self.llm.acomplete("A joke.")))

    @step
    async def rate(self, event: Drafted) -> StopEvent:
        return StopEvent(result=str(await self.llm.acomplete(event.text)))


FLOW = ["invoke_workflow JokeFlow", "  step draft", f"    {CHAT}", "  step rate", f"    {CHAT}"]
