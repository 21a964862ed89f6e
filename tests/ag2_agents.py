"""Small AG2 1.x agents, and reactions of the scripted model to their requests."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from importlib.metadata import version
from typing import Any

from opentelemetry import trace

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    ModelRequest,
    Reaction,
    Response,
    ScriptedModel,
    ToolCall,
)

__all__ = [
    "CHAT",
    "TRAINS",
    "VERSION",
    "WEATHER",
    "ag2",
    "agent",
    "attributes",
    "calling",
    "config",
    "conversations",
    "find_trains",
    "get_weather",
    "run",
    "span_named",
    "telemetry_middleware",
    "tool",
    "turn_of",
]

ag2: Any = import_module("ag2")
CHAT = "chat gpt-4o-mini"
WEATHER = ToolCall("get_weather", {"city": "Bern"})
TRAINS = ToolCall("find_trains", {"city": "Bern"})
VERSION = tuple(int(part) for part in version("ag2").split(".")[:2])
_CONFIG: Any = import_module("ag2.config")


def config(model: ScriptedModel, **more: Any) -> Any:
    defaults = {"model": "gpt-4o-mini", "api_key": "none", "base_url": model.openai_url}
    return _CONFIG.OpenAIConfig(**{**defaults, "max_retries": 0, **more})


def agent(name: str, config: Any, **more: Any) -> Any:
    return ag2.Agent(name, prompt="Be brief.", config=config, **more)


def tool(function: Callable[..., Any]) -> Any:
    return ag2.tool(function)


def telemetry_middleware(emission: Emission) -> Any:
    """Return AG2's own telemetry, which records to ``emission``."""
    own: Any = import_module("ag2.middleware")
    return own.TelemetryMiddleware(
        tracer_provider=emission.tracer_provider, agent_name="theirs", capture_content=False
    )


def run(function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function in a new event loop, and the tasks that it leaves behind."""
    return asyncio.run(function())


def calling(*calls: ToolCall) -> Callable[[ModelRequest], Reaction]:
    """Return a reaction that calls those tools that the request offers, and then says that it is done."""

    def react(request: ModelRequest) -> Reaction:
        offered_tools = {tool.name for tool in request.tools}
        offered_calls = tuple(call for call in calls if call.name in offered_tools)
        last: Any = request.body["messages"][-1]
        calls_tools = offered_calls and last.get("role") != "tool"
        return Response(tool_calls=offered_calls) if calls_tools else Response("done")

    return react


def turn_of(name: str, *inner: str) -> list[str]:
    """Return the lines of a turn's tree."""
    return [f"invoke_agent {name}", *("  " + line for line in inner or (CHAT,))]


def span_named(emission: Any, name: str) -> Any:
    """Return the only span of that name."""
    (span,) = [span for span in emission.spans if span.name == name]
    return span


@tool
def get_weather(city: str) -> str:
    """Tell the weather."""
    name = getattr(trace.get_current_span(), "name", "none")
    return f"told in {name}"


@tool
async def find_trains(city: str) -> str:
    """Find trains."""
    await asyncio.sleep(0)
    name = getattr(trace.get_current_span(), "name", "none")
    return f"found in {name}"


def attributes(emission: Emission, name: str) -> list[dict[str, Any]]:
    """Return the attributes of the spans of that name."""
    return [dict(span.attributes or {}) for span in emission.spans if span.name == name]


def conversations(emission: Emission) -> set[Any]:
    """Return the conversation ids of all spans."""
    spans: list[Any] = list(emission.spans)
    return {span.attributes["gen_ai.conversation.id"] for span in spans}
