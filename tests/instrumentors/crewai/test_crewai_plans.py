"""Agents that plan and carry their plan out: each step's calls below it, what is made of it beside it."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task, tool
from decided_steps import told

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Answer,
    Failure,
    ModelRequest,
    Reaction,
    ScriptedModel,
    ToolCall,
)

SECRET = "planted-secret"
PLAN = "create_reasoning_plan"
STEPS = ("left", "right")

pytestmark = pytest.mark.usefixtures("instrumented")
core: Any = import_module("crewai.agent.core")
config: Any = import_module("crewai.agent.planning_config")


def plan(*steps: str) -> Answer:
    """A plan whose steps depend on nothing."""
    listed = [
        {"step_number": n, "description": f"{SECRET} {step}", "depends_on": []}
        for n, step in enumerate(steps, 1)
    ]
    arguments: dict[str, Any] = {"plan": SECRET, "steps": listed, "ready": True}
    return Answer(tool_calls=[ToolCall(PLAN, arguments)])


def observed(**more: Any) -> Answer:
    """What the observer says of a step."""
    said: dict[str, Any] = {
        "step_completed_successfully": True,
        "key_information_learned": SECRET,
        "remaining_plan_still_valid": True,
        "suggested_refinements": None,
        "needs_full_replan": False,
        "replan_reason": None,
        "goal_already_achieved": False,
    }
    return Answer(json.dumps({**said, **more}))


def react(request: ModelRequest) -> Reaction:
    """Plan two steps; look once for each; find everything right."""
    names = {tool.name for tool in request.tools}
    messages = request.body["messages"]
    if PLAN in names:
        return plan(*STEPS)
    if request.schema is not None:
        return observed()
    if "look" not in names or any(message["role"] == "tool" for message in messages):
        return Answer("seen")
    side = next(step for step in STEPS if f"{SECRET} {step}" in messages[-1]["content"])
    return Answer(tool_calls=[ToolCall("look", {"side": side})])


def look(side: str) -> str:
    """Look there."""
    return side


def planner(llm: Any, **more: Any) -> Any:
    """A crew of an agent that plans."""
    how = config.PlanningConfig(max_attempts=1, **more)
    return crew(task(agent(llm, "Scout", tools=[tool(look)], planning_config=how)))


def shaped(emission: Emission) -> list[str]:
    """The tree; of what runs side by side the order does not matter."""
    return sorted(emission.tree(), key=lambda line: line.strip())


MADE = ("plan Scout", f"  {CHAT}", f"  execute_tool {PLAN}")
DONE = ("plan_step", f"  {CHAT}", "  execute_tool look", f"  {CHAT}")
SEEN = ("observation", f"  {CHAT}")


def test_steps_side_by_side_have_what_they_called_below_them(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(react)
    planner(llm).kickoff()
    calls = (*MADE, *DONE, *DONE, *SEEN, *SEEN, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Scout", *calls)]
    assert sorted(told(emission)) == [
        "observation 1 continue",
        "observation 2 continue",
        "plan_step 1 completed",
        "plan_step 2 completed",
    ]
    assert SECRET not in emission.texts()
