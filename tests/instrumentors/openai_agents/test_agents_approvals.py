"""Tool calls that wait for approval, and runs that are resumed after it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from openai_agents_runs import CHAT, agents, assistant, finished, started

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

Runs = pytest.mark.parametrize("start", [finished, started])
SECRET = "planted-secret"


@agents.function_tool(needs_approval=True)
def book(city: str) -> str:
    """Book a trip."""
    return f"Booked {city}."


def tool_ids(emission: Emission, name: str = "book") -> list[Any]:
    return [
        (span.attributes or {}).get("gen_ai.tool.call.id")
        for span in emission.spans
        if span.name == f"execute_tool {name}"
    ]


@Runs
@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.usefixtures("instrumented")
def test_a_call_is_executed_once_it_is_approved(
    run: Any, start: Any, emission: Emission, model: ScriptedModel, decision: str
) -> None:
    model.script(Response(tool_calls=[ToolCall("book", {"city": SECRET})]), Response("Done."))
    agent = assistant(tools=[book], instructions=SECRET)

    async def resumed() -> Any:
        result = await start(agent, "go", run_config=agents.RunConfig(group_id="thread-1"))
        assert len(result.interruptions) == 1
        state = result.to_state()
        getattr(state, decision)(result.interruptions[0])
        again = await start(agent, state, run_config=agents.RunConfig(group_id="thread-1"))
        assert again.final_output == "Done."
        return result.interruptions[0].raw_item.call_id

    call_id = run(resumed())
    executed = ["  execute_tool book"] if decision == "approve" else []
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "invoke_agent guide",
        *executed,
        f"  {CHAT}",
    ]
    assert tool_ids(emission) == [call_id] * len(executed)
    assert emission.traces() == 2
    found = [(span.attributes or {})["gen_ai.conversation.id"] for span in emission.spans]
    assert found == ["thread-1"] * len(found)
    assert emission.events == [("otel_agents.interrupt", {})]
    assert all("error.type" not in (span.attributes or {}) for span in emission.spans)
    assert SECRET not in emission.texts()


@Runs
@pytest.mark.usefixtures("instrumented")
def test_a_resumed_run_has_the_names_of_the_first(
    run: Any, start: Any, emission: Emission, model: ScriptedModel
) -> None:
    """In another process as well: the state has them."""
    model.script(Response(tool_calls=[ToolCall("book", {"city": "Bern"})]), Response("Done."))
    agent = assistant(tools=[book], handoffs=[assistant("expert")])

    async def resumed() -> Any:
        config = agents.RunConfig(workflow_name="booking", group_id="thread-1")
        kept = (await start(agent, "go", run_config=config)).to_state().to_string()
        state = await agents.RunState.from_string(agent, kept)
        state.approve(state.get_interruptions()[0])
        return await start(agent, state)

    assert run(resumed()).final_output == "Done."
    names = [line for line in emission.tree() if not line.startswith(" ")]
    assert names == ["invoke_workflow booking"] * 2
    found = [(span.attributes or {})["gen_ai.conversation.id"] for span in emission.spans]
    assert found == ["thread-1"] * len(found)


def test_what_waits_for_approval_is_content(
    run: Any, instrument: Any, emission: Emission, model: ScriptedModel
) -> None:
    instrument(
        OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="EVENT_ONLY",
        OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT="true",
    )
    model.script(Response(tool_calls=[ToolCall("book", {"city": "Bern"})]))
    result = run(finished(assistant(tools=[book])))
    call_id = result.interruptions[0].raw_item.call_id
    (value,) = (
        attributes["otel_agents.interrupt.value"]
        for name, attributes in emission.events
        if name == "otel_agents.interrupt"
    )
    arguments = result.interruptions[0].raw_item.arguments
    assert json.loads(value) == [{"call_id": call_id, "name": "book", "arguments": arguments}]


@pytest.mark.parametrize("decision", ["approve", "reject"])
@pytest.mark.usefixtures("instrumented")
def test_an_agent_as_a_tool_that_waits(
    run: Any, emission: Emission, model: ScriptedModel, decision: str
) -> None:
    """Both runs stop, for one request. Its decision is none about the agent's own call."""
    model.script(
        Response(tool_calls=[ToolCall("consult", {"input": "go"}, id="outer")]),
        Response(tool_calls=[ToolCall("book", {"city": "Bern"}, id="inner")]),
        Response("Booked."),
        Response("Done."),
    )
    agent = assistant(tools=[assistant("expert", tools=[book]).as_tool("consult", "Consults.")])

    async def resumed() -> str:
        result = await finished(agent)
        state = result.to_state()
        getattr(state, decision)(result.interruptions[0])
        return (await finished(agent, state)).final_output

    assert run(resumed()) == "Done."
    assert emission.events == [("otel_agents.interrupt", {})]
    executed = ["        execute_tool book"] if decision == "approve" else []
    around = ["invoke_workflow guide", "  invoke_agent guide"]
    inner = ["    execute_tool consult", "      invoke_agent expert"]
    assert emission.tree() == [
        *(*around, f"    {CHAT}", *inner, f"        {CHAT}"),
        *(*around, *inner, *executed, f"        {CHAT}", f"    {CHAT}"),
    ]
    assert tool_ids(emission, "consult") == ["outer", "outer"]
    assert tool_ids(emission) == ["inner"] * len(executed)


@pytest.mark.usefixtures("instrumented")
def test_a_call_that_a_guardrail_of_the_tool_rejects(
    run: Any, emission: Emission, model: ScriptedModel
) -> None:
    @agents.tool_input_guardrail
    def never(data: Any) -> Any:
        return agents.ToolGuardrailFunctionOutput.reject_content(SECRET)

    @agents.function_tool(tool_input_guardrails=[never])
    def pay() -> str:
        """Pay."""
        return "paid"

    run(finished(assistant(tools=[pay])))
    assert emission.tree() == ["invoke_agent guide", f"  {CHAT}", f"  {CHAT}"]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_an_approved_call_that_a_guardrail_of_the_tool_rejects(
    run: Any, emission: Emission, model: ScriptedModel
) -> None:
    @agents.tool_input_guardrail
    def never(data: Any) -> Any:
        return agents.ToolGuardrailFunctionOutput.reject_content(SECRET)

    @agents.function_tool(needs_approval=True, tool_input_guardrails=[never])
    def pay() -> str:
        """Pay."""
        return "paid"

    async def resumed() -> None:
        agent = assistant(tools=[pay])
        result = await finished(agent)
        state = result.to_state()
        state.approve(result.interruptions[0])
        await finished(agent, state)

    run(resumed())
    assert emission.tree() == ["invoke_agent guide", f"  {CHAT}"] * 2


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_reads_whether_it_is_approved(run: Any, emission: Emission) -> None:
    def pay(context: Any) -> str:
        """Pay."""
        return str(context.get_approval_status("pay", context.tool_call_id))

    pay.__annotations__["context"] = agents.RunContextWrapper

    run(finished(assistant(tools=[agents.function_tool(pay)])))
    assert "  execute_tool pay" in emission.tree()
