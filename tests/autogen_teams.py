"""Small agents and teams of AutoGen."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import Any

from packaging.version import Version

__all__ = ["CHAT", "VERSION", "assistant", "round_robin", "termination", "token", "turn"]

agents: Any = import_module("autogen_agentchat.agents")
conditions: Any = import_module("autogen_agentchat.conditions")
core: Any = import_module("autogen_core")
teams: Any = import_module("autogen_agentchat.teams")

CHAT = "chat gpt-4o-mini"
VERSION = Version(version("autogen-agentchat"))


def assistant(name: str, client: Any, **more: Any) -> Any:
    return agents.AssistantAgent(name, client, **more)


def termination(messages: int) -> Any:
    return conditions.MaxMessageTermination(messages)


def token() -> Any:
    return core.CancellationToken()


def round_robin(*members: Any, messages: int = 3, **more: Any) -> Any:
    """A team that ends with so many messages, the task included."""
    condition = termination(messages)
    return teams.RoundRobinGroupChat(list(members), termination_condition=condition, **more)


def turn(name: str, *calls: str, depth: int = 1) -> list[str]:
    """The lines of the tree of an agent's turn and what it called."""
    return [
        "  " * depth + f"invoke_agent {name}",
        *("  " * (depth + 1) + call for call in calls or (CHAT,)),
    ]
