"""Small agents of AG2 1.x, and how a scripted model answers them."""

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
    known = {"model": "gpt-4o-mini", "api_key": "none", "base_url": model.openai_url}
    return _CONFIG.OpenAIConfig(**{**known, "max_retries": 0, **more})


def agent(name: str, config: Any, **more: Any) -> Any:
    return ag2.Agent(name, prompt="Be brief.", config=config, **more)


def tool(function: Callable[..., Any]) -> Any:
    return ag2.tool(function)


def run(function: Callable[[], Coroutine[Any, Any, Any]]) -> Any:
    """Run a coroutine function to its end, and whatever it has left in the loop."""
    return asyncio.run(function())


def calling(*calls: ToolCall) -> Callable[[ModelRequest], Reaction]:
    """Who asks for those of the calls whose tools it is offered, once, and then is done."""

    def react(request: ModelRequest) -> Reaction:
        offered = {tool.name for tool in request.tools}
        wanted = tuple(call for call in calls if call.name in offered)
        last: Any = request.body["messages"][-1]
        asked = wanted and last.get("role") != "tool"
        return Response(tool_calls=wanted) if asked else Response("done")

    return react


def turn_of(name: str, *inner: str) -> list[str]:
    """The lines of the tree of a turn."""
    return [f"invoke_agent {name}", *("  " + line for line in inner or (CHAT,))]


def span_named(emission: Any, name: str) -> Any:
    """The one span of that name."""
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
    """Those of the spans of that name."""
    return [dict(span.attributes or {}) for span in emission.spans if span.name == name]


def conversations(emission: Emission) -> set[Any]:
    """The ids of the conversations that the spans, all of them, are part of."""
    spans: list[Any] = list(emission.spans)
    return {span.attributes["gen_ai.conversation.id"] for span in spans}
