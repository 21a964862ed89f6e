"""The attributes of each span, whole."""

from __future__ import annotations

from typing import Any

import pytest
from openai_agents_runs import CHAT, agents, assistant, finished, started, weather

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")


def guardrail() -> Any:
    async def polite(context: Any, agent: Any, given: Any) -> Any:
        return agents.GuardrailFunctionOutput(output_info=None, tripwire_triggered=False)

    return agents.output_guardrail(polite)


@pytest.mark.parametrize("start", [finished, started])
def test_a_handoff(run: Any, start: Any, emission: Emission, model: ScriptedModel) -> None:
    calls = [
        ToolCall("transfer_to_guide", {}, id="call_1"),
        ToolCall("weather", {"city": "Bern"}, id="call_2"),
    ]
    model.script(*(Response(tool_calls=[call]) for call in calls), "Sunny.")
    guide = assistant(tools=[weather], output_guardrails=[guardrail()])
    config = agents.RunConfig(workflow_name="Trip", group_id="thread-1")
    run(start(assistant("triage", handoffs=[guide]), "go", run_config=config))
    first, *others = model.ledger.entries
    billed = [(entry.input_tokens, entry.output_tokens) for entry in others]
    conversation = {"gen_ai.conversation.id": "thread-1"}
    expected = {
        "invoke_workflow Trip": {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "Trip",
            **conversation,
        },
        "invoke_agent triage": {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "triage",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.usage.input_tokens": first.input_tokens,
            "gen_ai.usage.output_tokens": first.output_tokens,
            "gen_ai.response.finish_reasons": ("tool_calls",),
            "otel_agents.turn": 1,
            **conversation,
        },
        "execute_tool transfer_to_guide": {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "transfer_to_guide",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "call_1",
            "gen_ai.agent.name": "triage",
            **conversation,
        },
        "invoke_agent guide": {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": "guide",
            "gen_ai.request.model": "gpt-4o-mini",
            "gen_ai.usage.input_tokens": sum(inputs for inputs, _ in billed),
            "gen_ai.usage.output_tokens": sum(outputs for _, outputs in billed),
            "gen_ai.response.finish_reasons": ("stop",),
            "otel_agents.turn": 2,
            **conversation,
        },
        "execute_tool weather": {
            "gen_ai.operation.name": "execute_tool",
            "gen_ai.tool.name": "weather",
            "gen_ai.tool.type": "function",
            "gen_ai.tool.call.id": "call_2",
            "gen_ai.agent.name": "guide",
            **conversation,
        },
        "guardrail polite": {
            "otel_agents.step.type": "guardrail",
            "otel_agents.step.outcome": "passed",
            **conversation,
        },
    }
    spans = {span.name: dict(span.attributes or {}) for span in emission.spans}
    calls_of_models = spans.pop(CHAT)
    assert spans == expected
    assert calls_of_models["gen_ai.conversation.id"] == "thread-1"
