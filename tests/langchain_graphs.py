"""Graphs, agents and tools of LangChain and LangGraph, in whatever version is installed."""

from __future__ import annotations

import asyncio
import operator
from collections.abc import Callable
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Any, TypedDict, cast

from langchain_core.tools import tool
from langchain_openai import ChatOpenAI
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "CHAT",
    "CORE",
    "LANGGRAPH",
    "State",
    "add",
    "agent",
    "attributes",
    "chat",
    "compiled",
    "graph",
    "turn",
    "ways",
]

CORE = Version(version("langchain-core"))


def _version(distribution: str) -> Version:
    """Return the installed version; 0 if it is not installed."""
    try:
        return Version(version(distribution))
    except PackageNotFoundError:
        return Version("0")


LANGGRAPH = _version("langgraph")
CHAT = "chat gpt-4o-mini"
NAMED = Version("0.2.61") < LANGGRAPH
"""Whether agents and graphs can have a name."""


def ways(value: Any) -> dict[str, Callable[[Any, asyncio.AbstractEventLoop], object]]:
    """Return the ways to run a runnable to its end with the input ``value``."""

    async def asynchronous(run: Any) -> None:
        await run.ainvoke(value)

    async def streamed(run: Any) -> None:
        async for _ in run.astream(value):
            pass

    async def events(run: Any) -> None:
        async for _ in run.astream_events(value, version="v2"):
            pass

    return {
        "invoke": lambda run, loop: run.invoke(value),
        "stream": lambda run, loop: list(run.stream(value)),
        "ainvoke": lambda run, loop: loop.run_until_complete(asynchronous(run)),
        "astream": lambda run, loop: loop.run_until_complete(streamed(run)),
        "astream_events": lambda run, loop: loop.run_until_complete(events(run)),
    }


def attributes(emission: Emission, name: str) -> list[dict[str, Any]]:
    """Return the attributes of the spans named ``name``, in the order of their start."""
    spans = sorted(emission.spans, key=lambda span: span.start_time or 0)
    return [dict(span.attributes or {}) for span in spans if span.name == name]


class State(TypedDict):
    """What a graph's nodes add to."""

    steps: Annotated[list[str], operator.add]


@tool
def add(a: int, b: int) -> int:
    """Add two numbers."""
    return a + b


def chat(model: ScriptedModel, **options: Any) -> ChatOpenAI:
    """Return a chat model that sends to ``model`` and does not retry."""
    settings: dict[str, Any] = {"base_url": model.openai_url, "api_key": "none", "max_retries": 0}
    return ChatOpenAI(model="gpt-4o-mini", **{**settings, **options})


def agent(model: Any, name: str | None = None, tools: Any = (add,)) -> Any:
    """Return an agent, made as the installed version recommends."""
    try:
        create = import_module("langchain.agents").create_agent
    except AttributeError:  # before langchain 1.0
        create = import_module("langgraph.prebuilt").create_react_agent
    return create(model, list(tools), **({"name": name} if name and NAMED else {}))


def graph(*nodes: Any, **more: Any) -> Any:
    """Return a graph that is not compiled, of nodes that run one after the other.

    A node is a function, or a pair of a name and what it consists of.
    """
    library: Any = import_module("langgraph.graph")
    built, before = library.StateGraph(State), str(library.START)
    for node in nodes:
        name, body = _named(node)
        built.add_node(name, body, **more)
        built.add_edge(before, name)
        before = name
    built.add_edge(before, library.END)
    return built


def _named(node: Any) -> tuple[str, Any]:
    return cast("tuple[str, Any]", node) if isinstance(node, tuple) else (node.__name__, node)


def compiled(*nodes: Any, name: str | None = None, **options: Any) -> Any:
    """Return a compiled graph of nodes that run one after the other."""
    return graph(*nodes).compile(**({"name": name} if name and NAMED else {}), **options)


def turn(
    name: str | None = None, *, depth: int = 0, calls: tuple[str, ...] = ("add",)
) -> list[str]:
    """Return the tree of an agent that calls tools, one at a time, and then ends."""
    span = f"invoke_agent {name}" if name and NAMED else "invoke_agent"
    inner = [line for call in calls for line in (CHAT, f"execute_tool {call}")]
    return ["  " * depth + span, *("  " * (depth + 1) + line for line in (*inner, CHAT))]
