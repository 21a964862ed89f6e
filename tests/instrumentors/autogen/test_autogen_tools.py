"""Tools and human input of an agent."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, agents, assistant, round_robin, teams, token, turn
from opentelemetry import trace

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")
SECRET = "planted-secret"


async def weather(city: str) -> str:
    """Tell the weather."""
    return f"sunny in {city}"


def climate(city: str) -> str:
    """Tell the climate."""
    return f"mild in {city}"


def broken(city: str) -> str:
    """Fail."""
    raise LookupError(SECRET)


def secret(prompt: str) -> str:
    return SECRET


def span_named(emission: Emission, name: str) -> Any:
    (span,) = [span for span in emission.spans if span.name == name]
    return span


def test_tools_that_a_model_requests(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    arguments = {"city": SECRET}
    calls = [
        ToolCall("weather", arguments, id="call_1"),
        ToolCall("climate", arguments, id="call_2"),
    ]
    model.script(Response(tool_calls=calls), "sunny")
    one = assistant("first", client, tools=[weather, climate], reflect_on_tool_use=True)
    run(round_robin(one, turns=1).run(task="go"))
    lines = emission.tree()
    called = turn("first", CHAT, "execute_tool climate", "execute_tool weather", CHAT)
    assert [*lines[:3], *sorted(lines[3:5]), *lines[5:]] == ["invoke_workflow", *called]
    recorded = dict(span_named(emission, "execute_tool weather").attributes)
    assert recorded.pop("gen_ai.conversation.id")
    assert recorded == {
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.description": "Tell the weather.",
        "gen_ai.agent.name": "first",
    }
    assert SECRET not in emission.texts()
    balanced()


def test_a_tool_that_fails(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    """The model gets the error, and the run continues."""
    model.script(Response(tool_calls=[ToolCall("broken", {"city": "Bern"})]), "sorry")
    one = assistant("first", client, tools=[broken], reflect_on_tool_use=True)
    result = run(one.run(task="go"))
    assert result.messages[-1].content == "sorry"
    called = turn("first", CHAT, "execute_tool broken", CHAT, depth=0)
    assert emission.tree() == called
    errors = {s.name: (s.attributes or {}).get("error.type") for s in emission.spans}
    assert errors == {CHAT: None, "execute_tool broken": "LookupError", "invoke_agent first": None}
    assert SECRET not in emission.texts()
    balanced()


def test_a_tool_that_an_application_runs(run: Any, emission: Emission) -> None:
    """Its span is the current one while it runs."""

    async def weather(city: str) -> str:
        return str(trace.get_current_span().get_span_context().span_id)

    tools: Any = import_module("autogen_core.tools")
    tool = tools.FunctionTool(weather, description="d")
    current = run(tool.run_json({"city": "Bern"}, token()))
    assert emission.tree() == ["execute_tool weather"]
    assert emission.span.context is not None
    assert current == str(emission.span.context.span_id)
    assert "gen_ai.tool.call.id" not in (emission.span.attributes or {})


def test_human_input(run: Any, client: Any, emission: Emission) -> None:
    prompts: list[str] = []

    def reply(prompt: str) -> str:
        prompts.append(prompt)
        return SECRET

    person = agents.UserProxyAgent("person", input_func=reply)
    result = run(round_robin(person, turns=1).run(task="go"))
    assert result.messages[-1].content == SECRET
    assert len(prompts) == 1
    assert emission.tree() == ["invoke_workflow", *turn("person", "human_input")]
    step = span_named(emission, "human_input")
    assert (step.kind.name, set(step.attributes)) == (
        "INTERNAL",
        {"gen_ai.conversation.id", "otel_agents.step.type"},
    )
    assert SECRET not in emission.texts()


def test_a_human_hands_over_by_rule(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    """The model requested the first handoff by a tool; no model requested the way back."""
    model.script(Response(tool_calls=[ToolCall("transfer_to_person", {})]))
    person = agents.UserProxyAgent("person", input_func=secret)
    members = [assistant("first", client, handoffs=["person"]), person]
    run(teams.Swarm(members, max_turns=2).run(task="go"))
    there = turn("first", CHAT, "execute_tool transfer_to_person")
    back = turn("person", "human_input", "handoff first")
    assert emission.tree() == ["invoke_workflow", *there, *back]
    assert emission.events == [
        (
            "otel_agents.handoff",
            {"otel_agents.handoff.from": "person", "otel_agents.handoff.to": "first"},
        )
    ]
    (log,) = emission.logs
    person_run = span_named(emission, "invoke_agent person")
    assert log.log_record.span_id == person_run.context.span_id
    assert SECRET not in emission.texts()
    balanced()
