"""Small conversations between agents of classic AutoGen."""

from __future__ import annotations

import asyncio
import os
import tempfile
import warnings
from collections.abc import Callable
from importlib import import_module
from typing import Any

from stand_in_vertexai import stand_in

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

stand_in()  # changes nothing where AG2's requirements for Gemini are missing
_HERE = os.getcwd()
os.chdir(tempfile.mkdtemp())
try:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        autogen: Any = import_module("autogen")
finally:
    os.chdir(_HERE)

__all__ = [
    "CHAT",
    "OLDEST",
    "agent",
    "autogen",
    "calculator",
    "config",
    "executor",
    "group",
    "talk",
    "turn_of",
    "turns",
]

CHAT = "chat gpt-4o-mini"
OLDEST = autogen.__version__.startswith("0.2.")


def config(server: ScriptedModel, **more: Any) -> dict[str, Any]:
    """Return the configuration of an agent that sends to ``server``, without a cache."""
    entry = {"model": "gpt-4o-mini", "api_key": "none", "base_url": server.openai_url, **more}
    return {"config_list": [entry], "cache_seed": None}


def agent(name: str, model: ScriptedModel, **more: Any) -> Any:
    """Return an agent that responds with ``model``, without human input."""
    known = {"llm_config": config(model), "human_input_mode": "NEVER", **more}
    return autogen.ConversableAgent(name, **known)


def executor(name: str = "user", **more: Any) -> Any:
    """Return an agent without a model, which executes requested tools."""
    known = {"llm_config": False, "human_input_mode": "NEVER", **more}
    return autogen.ConversableAgent(name, **known)


def calculator(model: ScriptedModel, tool: Callable[..., Any], **more: Any) -> tuple[Any, Any]:
    """Return an assistant that requests ``tool``, and the user agent that executes it."""
    assistant, user = agent("assistant", model, **more), executor()
    assistant.register_for_llm(name="calculate", description="Calculates.")(tool)
    user.register_for_execution(name="calculate")(tool)
    return assistant, user


def group(model: ScriptedModel, method: str, rounds: int = 3, **more: Any) -> tuple[Any, Any]:
    """Return the first member and the manager of a group of three."""
    members = [agent(name, model) for name in ("bob", "carol", "dora")]
    chat = autogen.GroupChat(
        agents=members, messages=[], max_round=rounds, speaker_selection_method=method
    )
    manager = autogen.GroupChatManager(groupchat=chat, llm_config=config(model), **more)
    return members[0], manager


def talk(sender: Any, recipient: Any, *, asynchronous: bool = False, **more: Any) -> Any:
    """Run a silent chat of the two, sync or async, and return its result."""
    how = {"message": "hi", "silent": True, **more}
    if asynchronous:
        return asyncio.run(sender.a_initiate_chat(recipient, **how))
    return sender.initiate_chat(recipient, **how)


def turn_of(name: str, *calls: str, depth: int = 1) -> list[str]:
    """Return the lines of the tree of a turn and its calls."""
    return [
        "  " * depth + f"invoke_agent {name}",
        *("  " * (depth + 1) + call for call in calls),
    ]


def turns(emission: Emission) -> list[tuple[str, Any]]:
    """Return the turns in the order of their start, with their numbers."""
    spans = [span for span in emission.spans if span.name.startswith("invoke_agent")]
    spans.sort(key=lambda span: span.start_time or 0)
    return [(span.name, (span.attributes or {}).get("otel_agents.turn")) for span in spans]
