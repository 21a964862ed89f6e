"""Handoffs: one by rule is an event, one by the model is a tool call."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from conversations import CHAT, agent, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall

group: Any = import_module("autogen.agentchat.group")
chats: Any = import_module("autogen.agentchat.group.multi_agent_chat")
patterns: Any = import_module("autogen.agentchat.group.patterns")
SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")


def start(agents: list[Any], rounds: int) -> Any:
    pattern = patterns.DefaultPattern(initial_agent=agents[0], agents=agents)
    return chats.initiate_group_chat(pattern=pattern, messages="hi", max_rounds=rounds)


def handoffs(emission: Emission) -> list[tuple[str, dict[str, Any]]]:
    """Return the handoff events, each with the name of its span."""
    names = {span.context.span_id: span.name for span in emission.spans if span.context}
    records = [log.log_record for log in emission.logs]
    return [
        (names[record.span_id], dict(record.attributes))
        for record in records
        if record.event_name == "otel_agents.handoff"
    ]


def handoff(origin: str, target: str) -> dict[str, str]:
    return {"otel_agents.handoff.from": origin, "otel_agents.handoff.to": target}


def test_a_handoff_by_the_model_is_a_tool_call(model: ScriptedModel, emission: Emission) -> None:
    def react(request: ModelRequest) -> Response:
        names = [tool.name for tool in request.tools]
        return Response(tool_calls=[ToolCall(names[0], {})]) if names else Response("done")

    bob, carol = agent("bob", model), agent("carol", model)
    condition = group.StringLLMCondition(prompt=SECRET)
    target = group.AgentTarget(carol)
    bob.handoffs.add_llm_condition(group.OnCondition(target=target, condition=condition))
    model.script_by(react)
    start([bob, carol], 4)
    tool = "execute_tool transfer_to_carol_1"
    assert emission.tree() == [
        "invoke_workflow",
        *turn_of("bob", CHAT),
        *turn_of("_Group_Tool_Executor", tool),
        *turn_of("carol", CHAT),
    ]
    assert handoffs(emission) == []
    (call,) = [dict(s.attributes or {}) for s in emission.spans if s.name == tool]
    assert "gen_ai.tool.description" not in call
    assert SECRET not in emission.texts()


def test_a_handoff_by_a_tool(model: ScriptedModel, emission: Emission) -> None:
    bob, carol = agent("bob", model), agent("carol", model)

    def look(city: str) -> Any:
        return group.ReplyResult(message="sunny", target=group.AgentTarget(carol))

    look.__annotations__["return"] = group.ReplyResult
    bob.register_for_llm(name="look", description="Looks.")(look)
    model.script(Response(tool_calls=[ToolCall("look", {"city": "Bern"})]))
    start([bob, carol], 4)
    assert emission.tree() == [
        "invoke_workflow",
        *turn_of("bob", CHAT),
        *turn_of("_Group_Tool_Executor", "execute_tool look", "handoff carol"),
        *turn_of("carol", CHAT),
    ]
    executor = "invoke_agent _Group_Tool_Executor"
    assert handoffs(emission) == [(executor, handoff("bob", "carol"))]
    (call,) = [dict(s.attributes or {}) for s in emission.spans if "look" in s.name]
    assert call["gen_ai.tool.description"] == "Looks."
    names = ("gen_ai.agent.name", "otel_agents.tool.caller")
    assert [call[name] for name in names] == ["_Group_Tool_Executor", "bob"]


def test_a_handoff_by_rule(model: ScriptedModel, emission: Emission) -> None:
    bob, carol, dora = (agent(name, model) for name in ("bob", "carol", "dora"))
    target = group.AgentTarget(carol)
    bob.handoffs.add_context_condition(group.OnContextCondition(target=target, condition=None))
    carol.handoffs.set_after_work(group.AgentTarget(dora))
    dora.handoffs.set_after_work(group.TerminateTarget())
    start([bob, carol, dora], 9)
    assert emission.tree() == [
        "invoke_workflow",
        *turn_of("bob", "handoff carol"),
        *turn_of("carol", CHAT),
        "  handoff dora",
        *turn_of("dora", CHAT),
    ]
    assert handoffs(emission) == [
        ("invoke_agent bob", handoff("bob", "carol")),
        ("invoke_workflow", handoff("carol", "dora")),
    ]
