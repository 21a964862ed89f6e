"""One run, one trace: agents, handoffs and tools, with every call under the agent that made it."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from openai_agents_runs import CHAT, agents, assistant, finished, started, weather
from opentelemetry import trace

from otel_agents.instrumentors.openai_agents import OpenAIAgentsInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")
Runs = pytest.mark.parametrize("start", [finished, started])

TOOL = ["invoke_agent guide", f"  {CHAT}", "  execute_tool weather", f"  {CHAT}"]
HANDOFF = [
    "invoke_workflow triage",
    "  invoke_agent triage",
    f"    {CHAT}",
    "    execute_tool transfer_to_guide",
    "  invoke_agent guide",
    f"    {CHAT}",
    "    execute_tool weather",
    f"    {CHAT}",
]


@Runs
def test_an_agent(run: Any, start: Any, emission: Emission, balanced: Callable[[], None]) -> None:
    run(start(assistant(), "go"))
    assert emission.tree() == ["invoke_agent guide", f"  {CHAT}"]
    balanced()


@Runs
def test_a_tool(run: Any, start: Any, emission: Emission, balanced: Callable[[], None]) -> None:
    result = run(start(assistant(tools=[weather]), "go"))
    assert result.final_output
    assert emission.tree() == TOOL
    assert emission.traces() == 1
    balanced()


@Runs
def test_a_handoff(
    run: Any, start: Any, emission: Emission, model: ScriptedModel, balanced: Callable[[], None]
) -> None:
    calls = [ToolCall("transfer_to_guide", {}), ToolCall("weather", {"city": "Bern"})]
    model.script(*(Response(tool_calls=[call]) for call in calls))
    triage = assistant("triage", handoffs=[assistant(tools=[weather])])
    result = run(start(triage, "go"))
    assert result.last_agent.name == "guide"
    assert emission.tree() == HANDOFF
    assert emission.traces() == 1
    balanced()


def test_what_is_current_between_two_events_is_the_applications(run: Any) -> None:
    seen: list[bool] = []

    async def streamed() -> None:
        result = agents.Runner.run_streamed(assistant(tools=[weather]), "go")
        async for _ in result.stream_events():
            seen.append(trace.get_current_span().get_span_context().is_valid)
        seen.append(trace.get_current_span().get_span_context().is_valid)

    run(streamed())
    assert set(seen) == {False}


def test_every_target_is_found() -> None:
    import_module("agents")
    assert OpenAIAgentsInstrumentor().report().of("missing") == []
