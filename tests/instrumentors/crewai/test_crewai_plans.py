"""Agents that plan and execute their plan: calls are below their step, observations next to it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from importlib import import_module
from threading import Event
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task, tool
from decided_steps import decisions

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Failure,
    ModelRequest,
    Reaction,
    Response,
    ScriptedModel,
    ToolCall,
)

SECRET = "planted-secret"
PLAN = "create_reasoning_plan"
STEPS = ("left", "right")

pytestmark = pytest.mark.usefixtures("instrumented")
config: Any = import_module("crewai.agent.planning_config")


def plan(*steps: str) -> Response:
    """Return a plan of independent steps."""
    listed: list[dict[str, Any]] = [
        {"step_number": n, "description": f"{SECRET} {step}", "depends_on": []}
        for n, step in enumerate(steps, 1)
    ]
    arguments: dict[str, Any] = {"plan": SECRET, "steps": listed, "ready": True}
    return Response(tool_calls=[ToolCall(PLAN, arguments)])


def observed(**more: Any) -> Response:
    """Return the observer's response for a step."""
    observation: dict[str, Any] = {
        "step_completed_successfully": True,
        "key_information_learned": SECRET,
        "remaining_plan_still_valid": True,
        "suggested_refinements": None,
        "needs_full_replan": False,
        "replan_reason": None,
        "goal_already_achieved": False,
    }
    return Response(json.dumps({**observation, **more}))


def react(request: ModelRequest) -> Reaction:
    """Respond with a plan of two steps, one tool call for each, and success."""
    names = {tool.name for tool in request.tools}
    messages = request.body["messages"]
    if PLAN in names:
        return plan(*STEPS)
    if request.schema is not None:
        return observed()
    if "look" not in names or any(message["role"] == "tool" for message in messages):
        return Response("seen")
    side = next(step for step in STEPS if f"{SECRET} {step}" in messages[-1]["content"])
    return Response(tool_calls=[ToolCall("look", {"side": side})])


def look(side: str) -> str:
    """Look there."""
    return side


def never(*given: object) -> bool:
    return False


def planner(llm: Any, tools: Iterable[Callable[..., Any]] = (look,), **more: Any) -> Any:
    """Return a crew of an agent that plans."""
    how = config.PlanningConfig(max_attempts=1, **more)
    made = [tool(one) for one in tools]
    for one in made:
        one.cache_function = never  # else a step may get another step's result
    return crew(task(agent(llm, "Scout", tools=made, planning_config=how)))


MADE = ("plan Scout", f"  {CHAT}", f"  execute_tool {PLAN}")
DONE = ("plan_step", f"  {CHAT}", "  execute_tool look", f"  {CHAT}")
SEEN = ("observation", f"  {CHAT}")


def test_concurrent_steps_have_their_calls_below_them(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(react)
    planner(llm).kickoff()
    calls = (*MADE, *DONE, *DONE, *SEEN, *SEEN, CHAT)
    assert emission.tree() == ["invoke_workflow", *run_of("Scout", *calls)]
    assert sorted(decisions(emission)) == [
        "observation 1 continue",
        "observation 2 continue",
        "plan_step 1 completed",
        "plan_step 2 completed",
    ]
    assert SECRET not in emission.texts()


def test_a_failed_step_is_recorded_as_failed(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    def fail_on_the_left(request: ModelRequest) -> Reaction:
        last = request.body["messages"][-1]["content"]
        failing = PLAN not in {tool.name for tool in request.tools} and request.schema is None
        if failing and f"{SECRET} left" in str(last):
            return Failure(400, message=SECRET)
        return react(request)

    model.script_by(fail_on_the_left)
    planner(llm, observe_steps=False).kickoff()
    assert sorted(decisions(emission)) == ["plan_step 1 failed", "plan_step 2 completed"]
    steps = [span for span in emission.spans if span.name == "plan_step"]
    errors = [str((s.attributes or {}).get("error.type")) for s in steps]
    assert sorted(errors) == [
        "None",
        "_OTHER",
    ]  # CrewAI keeps only the text of an exception
    assert SECRET not in emission.texts()


@pytest.mark.parametrize(
    ("verdict", "outcome"),
    [
        ({}, "continue"),
        ({"suggested_refinements": [{"step_number": 2, "new_description": SECRET}]}, "refine"),
        ({"step_completed_successfully": False}, "failed"),
        ({"needs_full_replan": True}, "replan"),
        ({"goal_already_achieved": True}, "goal_achieved"),
    ],
)
def test_an_observation_records_the_decision(
    verdict: dict[str, Any], outcome: str, llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    def react_with_verdict(request: ModelRequest) -> Reaction:
        if request.schema is not None:
            return observed(**verdict)
        if PLAN in {tool.name for tool in request.tools}:
            return plan("left")
        return react(request)

    model.script_by(react_with_verdict)
    planner(llm, reasoning_effort="high", max_replans=0).kickoff()
    assert decisions(emission)[:2] == ["plan_step 1 completed", f"observation 1 {outcome}"]
    assert SECRET not in emission.texts()


def test_each_step_has_the_ids_of_its_own_calls(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    waiting, looked = Event(), Event()

    def wait() -> str:
        """Wait until the other step has looked."""
        waiting.set()
        return str(looked.wait(10))

    def look(side: str) -> str:
        """Look there."""
        looked.set()
        return side

    def alike(request: ModelRequest) -> Reaction:
        """Have both steps request the same call; the left one requests another before."""
        reaction = react(request)
        requested = reaction.tool_calls if isinstance(reaction, Response) else ()
        if not requested or requested[0].name == PLAN:
            return reaction
        side = str(json.loads(requested[0].arguments_text)["side"])
        same = ToolCall("look", {"side": "there"}, id=side)
        if side == "left":
            return Response(tool_calls=[ToolCall("wait"), same])
        waiting.wait(10)
        return Response(tool_calls=[same])

    model.script_by(alike)
    planner(llm, (wait, look), observe_steps=False).kickoff()
    numbers = {
        span.context and span.context.span_id: (span.attributes or {})["otel_agents.step.number"]
        for span in emission.spans
        if span.name == "plan_step"
    }
    ids = {
        numbers[span.parent and span.parent.span_id]: (span.attributes or {})["gen_ai.tool.call.id"]
        for span in emission.spans
        if span.name == "execute_tool look"
    }
    assert ids == {1: "left", 2: "right"}
