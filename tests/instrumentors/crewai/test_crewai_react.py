"""Versions without an event bus: tool calls are part of the response's text."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task, tool

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

SECRET = "planted-secret"
ACTION = 'Thought: I must look.\nAction: search\nAction Input: {"query": "x"}\n'


def search(query: str) -> str:
    """Search the web."""
    return f"found {query}"


def slow(query: str) -> str:
    """Take too long."""
    raise TimeoutError(SECRET)


@pytest.mark.usefixtures("instrumented")
def test_a_tool(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response(ACTION))
    crew(task(agent(llm, "Researcher", tools=[tool(search)]))).kickoff()
    calls = (CHAT, "execute_tool search", CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Researcher", *calls)]


@pytest.mark.usefixtures("instrumented")
def test_a_tool_is_described_as_it_was_written(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(ACTION))
    crew(task(agent(llm, "Researcher", tools=[tool(search)]))).kickoff()
    (span,) = [s for s in emission.spans if s.name == "execute_tool search"]
    assert (span.attributes or {})["gen_ai.tool.description"] == "Search the web."


@pytest.mark.usefixtures("instrumented")
def test_a_cached_result_is_no_execution(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(ACTION), Response(ACTION.replace('"x"', '"y"')), Response(ACTION))
    crew(task(agent(llm, "Researcher", tools=[tool(search)]))).kickoff()
    calls = (CHAT, "execute_tool search", CHAT, "execute_tool search", CHAT, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Researcher", *calls)]


@pytest.mark.usefixtures("instrumented")
def test_a_repeated_call_is_refused_and_no_execution(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(ACTION), Response(ACTION))
    crew(task(agent(llm, "Researcher", tools=[tool(search)]))).kickoff()
    calls = (CHAT, "execute_tool search", CHAT, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Researcher", *calls)]


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_times_out_runs_three_times(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(ACTION.replace("search", "slow")))
    crew(task(agent(llm, "Researcher", tools=[tool(slow)]))).kickoff()
    calls = (CHAT, *["execute_tool slow"] * 3, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Researcher", *calls)]
    spans = [span for span in emission.spans if span.name == "execute_tool slow"]
    assert [(s.attributes or {}).get("error.type") for s in spans] == ["TimeoutError"] * 3
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_its_own_statistics_are_not_sent(llm: Any) -> None:
    made: Any = import_module("crewai.telemetry")
    assert made.Telemetry().ready is False
