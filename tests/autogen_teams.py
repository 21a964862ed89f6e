"""Small agents and teams of AutoGen."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

import pytest
from packaging.version import Version

__all__ = [
    "CHAT",
    "LENIENT",
    "VERSION",
    "assistant",
    "fails_with",
    "round_robin",
    "teams",
    "token",
    "turn",
    "user_messages",
]

agents: Any = import_module("autogen_agentchat.agents")
core: Any = import_module("autogen_core")
models: Any = import_module("autogen_core.models")
teams: Any = import_module("autogen_agentchat.teams")

CHAT = "chat gpt-4o-mini"
VERSION = Version(version("autogen-agentchat"))
LENIENT: dict[str, Any] = (
    {} if Version("0.5") <= VERSION else {"max_consecutive_empty_chunk_tolerance": 9}
)
"""For streams: versions before 0.5 take the chunk with the usage for an error."""


def assistant(name: str, client: Any, **more: Any) -> Any:
    return agents.AssistantAgent(name, client, **more)


async def fails_with(text: str, provider: Any) -> None:
    """Send a message to an agent that raises ``text``, on a runtime with ``provider``."""

    class Failing(core.RoutedAgent):
        async def on_message_impl(self, message: Any, ctx: Any) -> str:
            raise LookupError(text)

    runtime = core.SingleThreadedAgentRuntime(tracer_provider=provider)
    await Failing.register(runtime, "failing", lambda: Failing("d"))
    runtime.start()
    with pytest.raises(LookupError, match=text):
        await runtime.send_message("go", core.AgentId("failing", "default"))
    await runtime.stop()


def user_messages(text: str) -> list[Any]:
    """Return the messages to a model with one text of a user."""
    return [models.UserMessage(content=text, source="user")]


def token() -> Any:
    return core.CancellationToken()


def round_robin(*members: Any, turns: int = 2, **more: Any) -> Any:
    return teams.RoundRobinGroupChat(list(members), max_turns=turns, **more)


def turn(name: str, *calls: str, depth: int = 1) -> list[str]:
    """Return the lines of the tree of an agent's turn and its calls."""
    return [
        "  " * depth + f"invoke_agent {name}",
        *("  " * (depth + 1) + call for call in calls or (CHAT,)),
    ]
