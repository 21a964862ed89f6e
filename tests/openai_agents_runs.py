"""Small agents of OpenAI's Agents SDK."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from packaging.version import Version

__all__ = ["CHAT", "VERSION", "agents", "assistant", "drain", "finished", "started", "weather"]

agents: Any = import_module("agents")

CHAT = "chat gpt-4o-mini"
VERSION = Version(version("openai-agents"))


@agents.function_tool
def weather(city: str) -> str:
    """Return the weather."""
    return f"Sunny in {city}."


def assistant(name: str = "guide", own: Any = None, **more: Any) -> Any:
    """Return an agent with a model by name, or with the application's ``own``."""
    return agents.Agent(name=name, model=own or "gpt-4o-mini", **more)


async def drain(result: Any) -> list[str]:
    """Read a streamed run to its end; return the types of its events."""
    return [event.type async for event in result.stream_events()]


async def finished(agent: Any, text: Any = "go", **more: Any) -> Any:
    """Run ``agent`` and return the result."""
    return await agents.Runner.run(agent, text, **more)


async def started(agent: Any, text: Any = "go", **more: Any) -> Any:
    """Run ``agent`` streamed, read all of it, and return the result."""
    result = agents.Runner.run_streamed(agent, text, **more)
    await drain(result)
    return result
