"""Small crews, with CrewAI's vendor telemetry and prompts disabled before its import."""

from __future__ import annotations

import json
import os
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

__all__ = ["CHAT", "agent", "crew", "crewai", "run_of", "task", "tool"]

_STORAGE = tempfile.mkdtemp()
os.environ.update(  # no vendor telemetry, no prompts, no files in the home directory
    CREWAI_DISABLE_TELEMETRY="true",
    CREWAI_DISABLE_TRACKING="true",
    CREWAI_TRACING_ENABLED="false",
    CREWAI_TESTING="true",
    CREWAI_STORAGE_DIR=_STORAGE,
    HOME=_STORAGE,
    ANONYMIZED_TELEMETRY="false",
    LITELLM_LOCAL_MODEL_COST_MAP="True",
    OPENAI_API_KEY="none",
)
_settings = Path(_STORAGE, ".config/crewai/settings.json")
_settings.parent.mkdir(parents=True)
_settings.write_text(  # some versions send traces whatever the settings: nothing listens here
    json.dumps({"enterprise_base_url": "http://127.0.0.1:9"}), encoding="utf-8"
)
with warnings.catch_warnings():
    warnings.simplefilter("ignore")
    crewai: Any = import_module("crewai")

CHAT = "chat gpt-4o-mini"


def agent(llm: Any, role: str, **more: Any) -> Any:
    return crewai.Agent(role=role, goal="goal", backstory="story", llm=llm, **more)


def task(agent: Any, **more: Any) -> Any:
    return crewai.Task(**{"description": "do it", "expected_output": "it", "agent": agent, **more})


def crew(*tasks: Any, **more: Any) -> Any:
    agents = [one.agent for one in tasks]
    return crewai.Crew(agents=agents, tasks=list(tasks), **more)


def tool(function: Any) -> Any:
    """Return a function as a tool with its name."""
    tools: Any = import_module("crewai.tools")
    return tools.tool(function.__name__)(function)


def run_of(role: str, *calls: str, name: str = "", depth: int = 1) -> list[str]:
    """Return the lines of the tree of a task, its agent and the agent's calls."""
    return [
        "  " * depth + (f"task {name}" if name else "task"),
        "  " * (depth + 1) + f"invoke_agent {role}",
        *("  " * (depth + 2) + call for call in calls or (CHAT,)),
    ]
