"""Reasoning, human input, and runs for each input."""

from __future__ import annotations

import asyncio
import io
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task
from decided_steps import decisions

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")


def test_reasoning_is_a_plan(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    plan: dict[str, Any] = {"plan": SECRET, "steps": [], "ready": True}
    model.script(Response(tool_calls=[ToolCall("create_reasoning_plan", plan)]))
    crew(task(agent(llm, "Writer", reasoning=True))).kickoff()
    function = "execute_tool create_reasoning_plan"  # called by CrewAI to read the plan
    calls = ("plan Writer", f"  {CHAT}", f"  {function}", CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *calls)]
    assert model.ledger.requests == 2
    assert SECRET not in emission.texts()


def test_human_input(
    llm: Any, emission: Emission, model: ScriptedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{SECRET}\n\n"))
    crew(task(agent(llm, "Writer"), human_input=True)).kickoff()
    calls = (CHAT, "human_input", CHAT, "human_input")
    assert emission.tree() == ["invoke_workflow", *run_of("Writer", *calls)]
    spans = [span for span in emission.spans if span.name == "human_input"]
    kind, outcome = "otel_agents.step.type", "otel_agents.step.outcome"
    assert [(span.kind.name, dict(span.attributes or {})) for span in spans] == [
        ("INTERNAL", {kind: "human_input", outcome: "feedback"}),
        ("INTERNAL", {kind: "human_input", outcome: "accepted"}),
    ]
    assert SECRET not in emission.texts()


def test_akickoff_for_each(llm: Any, emission: Emission, model: ScriptedModel) -> None:
    one = crew(task(agent(llm, "Writer")))
    asyncio.run(one.akickoff_for_each(inputs=[{"a": "1"}, {"a": "2"}]))
    inner = ["  " + line for line in ["invoke_workflow", *run_of("Writer")]]
    assert emission.tree() == ["kickoff_for_each", *inner, *inner]
    assert decisions(emission) == ["invoke_workflow 1/2", "invoke_workflow 2/2"]
    assert model.ledger.requests == 2
