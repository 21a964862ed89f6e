"""What versions without an event bus have instead: tools that are asked for in the text."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task, tool
from emission import Emission

from otel_agents.distro.scripted_model import Answer, ScriptedModel

ACTION = 'Thought: I must look.\nAction: search\nAction Input: {"query": "x"}\n'


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


@pytest.mark.usefixtures("instrumented")
def test_a_tool(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Answer(ACTION))
    crew(task(agent(llm, "Researcher", tools=[tool(search)]))).kickoff()
    calls = (CHAT, "execute_tool search", CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Researcher", *calls)]


@pytest.mark.usefixtures("instrumented")
def test_its_own_statistics_are_not_sent(llm: Any) -> None:
    made: Any = import_module("crewai.telemetry")
    assert made.Telemetry().ready is False
