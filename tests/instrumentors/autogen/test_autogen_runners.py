"""Agents and teams that are tools."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, assistant, round_robin, turn

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

tools: Any = import_module("autogen_agentchat.tools")


def request_of(tool: str) -> Response:
    return Response(tool_calls=[ToolCall(tool, {"task": "go"})])


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streamed", [False, True])
def test_an_agent_as_a_tool(
    streamed: bool,
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    model.script(request_of("helper"))
    helper = tools.AgentTool(assistant("helper", client, description="helps"))
    boss = assistant("boss", client, tools=[helper], model_client_stream=streamed)
    run(round_robin(boss, turns=1).run(task="go"))
    called = (CHAT, "execute_tool helper", f"  {turn('helper', depth=0)[0]}", f"    {CHAT}")
    assert emission.tree() == ["invoke_workflow", *turn("boss", *called)]
    (helped,) = [s for s in emission.spans if s.name == "invoke_agent helper"]
    assert "otel_agents.turn" not in (helped.attributes or {})
    balanced()


def test_the_result_of_an_agent_as_a_tool(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    model.script(request_of("helper"), "planted-secret")
    helper = tools.AgentTool(assistant("helper", client, description="helps"))
    run(assistant("boss", client, tools=[helper]).run(task="go"))
    (span,) = [s for s in emission.spans if s.name == "execute_tool helper"]
    result = json.loads(str((span.attributes or {})["gen_ai.tool.call.result"]))
    assert [m["content"] for m in result["messages"]] == ["go", "planted-secret"]


@pytest.mark.usefixtures("instrumented")
def test_a_team_as_a_tool(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    model.script(request_of("staff"))
    pair = round_robin(assistant("first", client), assistant("second", client))
    staff = tools.TeamTool(team=pair, name="staff", description="d")
    run(assistant("boss", client, tools=[staff]).run(task="go"))
    inner = ["invoke_workflow", *turn("first"), *turn("second")]
    called = (CHAT, "execute_tool staff", *("  " + line for line in inner))
    assert emission.tree() == turn("boss", *called, depth=0)
    balanced()
