"""Operations inside a turn: tools, agents as tools, human input."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from ag2_agents import (
    CHAT,
    TRAINS,
    WEATHER,
    ag2,
    agent,
    attributes,
    calling,
    conversations,
    find_trains,
    get_weather,
    run,
    tool,
    turn_of,
)

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

Check = Callable[[], None]


def test_tools(config: Any, model: ScriptedModel, emission: Emission, ledger: Check) -> None:
    model.script_by(calling(WEATHER, TRAINS))
    run(lambda: agent("Guide", config, tools=[get_weather, find_trains]).ask("Where to?"))
    lines = emission.tree()
    assert sorted(lines[2:4]) == ["  execute_tool find_trains", "  execute_tool get_weather"]
    assert [lines[0], lines[1], lines[4]] == turn_of("Guide", CHAT, CHAT)
    messages: Any = model.ledger.entries[-1].body["messages"]
    results = {message["content"] for message in messages[-2:]}
    assert results == {"told in execute_tool get_weather", "found in execute_tool find_trains"}
    calls = {call["function"]["name"]: call["id"] for call in messages[-3]["tool_calls"]}
    (tool_span,) = attributes(emission, "execute_tool get_weather")
    assert tool_span == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.agent.name": "Guide",
        "gen_ai.conversation.id": tool_span["gen_ai.conversation.id"],
        "gen_ai.tool.call.id": calls["get_weather"],
        "gen_ai.tool.description": "Tell the weather.",
        "gen_ai.tool.name": "get_weather",
        "gen_ai.tool.type": "function",
    }
    ledger()


class CachingMiddleware(import_module("ag2.middleware").BaseMiddleware):
    """Return a cached result and do not execute the tool."""

    async def on_tool_execution(self, call_next: Any, event: Any, context: Any) -> Any:
        return import_module("ag2.events").ToolResultEvent.from_call(event, result="cached")


def test_a_tool_result_from_middleware_has_no_span(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    caching = import_module("ag2.middleware").Middleware(CachingMiddleware)
    model.script_by(calling(WEATHER))
    run(lambda: agent("Guide", config, tools=[get_weather]).ask("Where to?", middleware=[caching]))
    assert emission.tree() == turn_of("Guide", CHAT, CHAT)
    ledger()


def test_a_client_tool_has_no_span(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    tools: Any = import_module("ag2.tools.final.client_tool")
    function: dict[str, Any] = {"name": "get_weather", "description": "", "parameters": {}}
    client_tool = tools.ClientTool({"type": "function", "function": function})
    model.script_by(calling(WEATHER))
    reply = run(lambda: agent("Guide", config, tools=[client_tool]).ask("Where to?"))
    assert [call.name for call in reply.response.tool_calls.calls] == ["get_weather"]
    assert emission.tree() == turn_of("Guide")
    ledger()


def test_an_agent_as_a_tool(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    model.script_by(calling(WEATHER, ToolCall("task_Scout", {"objective": "look"})))
    scout = agent("Scout", config, tools=[get_weather])
    run(lambda: agent("Boss", config, tools=[scout.as_tool(description="looks")]).ask("Go"))
    inner = turn_of("Scout", CHAT, "execute_tool get_weather", CHAT)
    nested = ["execute_tool task_Scout", *("  " + line for line in inner), CHAT]
    assert emission.tree() == turn_of("Boss", CHAT, *nested)
    assert len(conversations(emission)) == 1
    ledger()


def test_a_sub_task_has_a_constant_name(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    model.script_by(calling(ToolCall("run_subtask", {"task": "look"})))
    run(lambda: agent("Boss", config, tasks=import_module("ag2.agent").TaskConfig()).ask("Go"))
    nested = ["execute_tool run_subtask", *("  " + line for line in turn_of("subtask"))]
    assert emission.tree() == turn_of("Boss", CHAT, *nested, CHAT)
    ledger()


def test_human_input(config: Any, model: ScriptedModel, emission: Emission, ledger: Check) -> None:
    async def confirm(context: Any) -> str:
        return await context.input("Really?")

    confirm.__annotations__["context"] = ag2.Context
    confirming = tool(confirm)
    model.script_by(calling(ToolCall("confirm")))
    run(lambda: agent("Guide", config, tools=[confirming], hitl_hook=confirm_input).ask("Go"))
    assert emission.tree() == turn_of("Guide", CHAT, "execute_tool confirm", "  human_input", CHAT)
    assert "error.type" not in attributes(emission, "execute_tool confirm")[0]
    ledger()


def confirm_input() -> str:
    return "yes"
