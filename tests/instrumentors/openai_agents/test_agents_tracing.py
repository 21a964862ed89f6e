"""What a run is: a workflow of several agents, one agent, part of a trace or of another run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import copy_context
from typing import Any

import openai
import pytest
from openai_agents_runs import CHAT, agents, assistant, finished, started, weather

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")
Runs = pytest.mark.parametrize("start", [finished, started])
ALONE = ["invoke_agent guide", f"  {CHAT}"]


def conversations(emission: Emission) -> set[str]:
    return {str((span.attributes or {}).get("gen_ai.conversation.id")) for span in emission.spans}


def turns(emission: Emission) -> list[tuple[str, Any]]:
    """Return name and turn of each agent, in the order of their start."""
    spans = [span for span in emission.spans if span.name.startswith("invoke_agent")]
    ordered = sorted(spans, key=lambda span: span.start_time or 0)
    return [(span.name[13:], (span.attributes or {}).get("otel_agents.turn")) for span in ordered]


@Runs
@pytest.mark.parametrize(
    ("name", "expected"), [(None, "triage"), ("Agent workflow", "triage"), ("Support", "Support")]
)
def test_the_workflow_has_the_applications_name_or_the_entry_agents(
    run: Any, start: Any, emission: Emission, name: str | None, expected: str
) -> None:
    config = {} if name is None else {"run_config": agents.RunConfig(workflow_name=name)}
    run(start(assistant("triage", handoffs=[assistant()]), "go", **config))
    assert emission.tree()[0] == f"invoke_workflow {expected}"
    assert turns(emission) == [("triage", 1), ("guide", 2)]


@Runs
def test_agents_take_turns(run: Any, start: Any, emission: Emission, model: ScriptedModel) -> None:
    calls = [ToolCall("transfer_to_guide", {}), ToolCall("transfer_to_triage", {})]
    model.script(*(Response(tool_calls=[call]) for call in calls))
    guide = assistant()
    triage = assistant("triage", handoffs=[guide])
    guide.handoffs.append(triage)
    run(start(triage, "go"))
    assert turns(emission) == [("triage", 1), ("guide", 2), ("triage", 3)]
    assert emission.traces() == 1


@Runs
def test_an_agent_as_a_tool(
    run: Any, start: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    tool = assistant("expert").as_tool("ask_expert", "Asks the expert.")
    run(start(assistant(tools=[tool]), "go"))
    assert emission.tree() == [
        "invoke_workflow guide",
        "  invoke_agent guide",
        f"    {CHAT}",
        "    execute_tool ask_expert",
        "      invoke_agent expert",
        f"        {CHAT}",
        f"    {CHAT}",
    ]
    assert turns(emission) == [("guide", 1), ("expert", None)]
    assert emission.traces() == 1
    balanced()


def test_a_trace_of_the_application_is_the_workflow(run: Any, emission: Emission) -> None:
    async def twice() -> None:
        with agents.trace("Trip", group_id="thread-1"):
            await finished(assistant())
            await started(assistant("triage", handoffs=[assistant()]))

    run(twice())
    assert emission.tree() == [
        "invoke_workflow Trip",
        *(f"  {line}" for line in ALONE),
        "  invoke_agent triage",
        f"    {CHAT}",
        "    execute_tool transfer_to_guide",
        *(f"  {line}" for line in ALONE),
    ]
    assert conversations(emission) == {"thread-1"}


@pytest.mark.parametrize("how", ["variable", "switch", "config"])
@pytest.mark.parametrize("start", [finished, started])
def test_disabled_tracing_disables_the_upload_and_not_our_tree(
    run: Any, start: Any, emission: Emission, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if how == "variable":
        monkeypatch.setenv("OPENAI_AGENTS_DISABLE_TRACING", "1")
    if how == "switch":
        agents.set_tracing_disabled(True)
    config = {"run_config": agents.RunConfig(tracing_disabled=True)} if how == "config" else {}

    async def traced() -> None:
        with agents.trace("Trip", group_id="thread-1"):
            await start(assistant(tools=[weather]), "go", **config)

    try:
        run(traced())
    finally:
        agents.set_tracing_disabled(False)
    assert emission.tree() == [
        "invoke_workflow Trip",
        "  invoke_agent guide",
        f"    {CHAT}",
        "    execute_tool weather",
        f"    {CHAT}",
    ]
    assert conversations(emission) == {"thread-1"}


def test_an_error_that_leaves_a_trace_is_the_workflows(run: Any, emission: Emission) -> None:
    async def failing() -> None:
        with agents.trace("Trip"):
            raise LookupError("secret")

    with pytest.raises(LookupError):
        run(failing())
    assert emission.span.name == "invoke_workflow Trip"
    assert (emission.span.attributes or {})["error.type"] == "LookupError"
    assert [found["exception.type"] for _, found in emission.events] == ["LookupError"]


@Runs
def test_an_error_that_leaves_several_traces_is_emitted_once(
    run: Any, start: Any, emission: Emission, model: ScriptedModel
) -> None:
    model.script(Failure(400))

    async def failing() -> None:
        with agents.trace("Trip"), agents.custom_span("load"), agents.trace("Leg"):
            await start(assistant())

    with pytest.raises(openai.BadRequestError):
        run(failing())
    assert [found["exception.type"] for _, found in emission.events] == ["openai.BadRequestError"]
    found = {str((span.attributes or {}).get("error.type")) for span in emission.spans}
    assert (len(emission.spans), found) == (5, {"openai.BadRequestError"})


def test_a_trace_without_a_name_of_its_own(run: Any, emission: Emission) -> None:
    async def traced() -> None:
        with agents.trace("Agent workflow"):
            await finished(assistant())

    run(traced())
    assert emission.tree() == ["invoke_workflow", *(f"  {line}" for line in ALONE)]


def test_a_trace_that_is_finished_elsewhere_leaves_no_context(emission: Emission) -> None:
    with agents.trace("Trip") as trace, agents.custom_span("load"):
        copy_context().run(trace.finish)
    assert emission.tree() == ["invoke_workflow Trip", "  custom load"]  # and see nothing_left


def test_a_custom_span_is_a_step(run: Any, emission: Emission) -> None:
    async def traced() -> None:
        with agents.trace("Trip"), agents.custom_span("load"):
            await finished(assistant())

    run(traced())
    assert emission.tree() == [
        "invoke_workflow Trip",
        "  custom load",
        *(f"    {line}" for line in ALONE),
    ]


@Runs
def test_a_group_is_the_conversation(run: Any, start: Any, emission: Emission) -> None:
    run(start(assistant(), "go", run_config=agents.RunConfig(group_id="thread-1")))
    assert emission.tree() == ALONE
    assert conversations(emission) == {"thread-1"}


def test_a_sync_run(
    model: ScriptedModel, emission: Emission, lasting_loop: asyncio.AbstractEventLoop
) -> None:
    asyncio.set_event_loop(lasting_loop)  # early versions do not make one
    client = openai.AsyncOpenAI(base_url=model.openai_url, api_key="none")
    agents.set_default_openai_client(client, use_for_tracing=False)
    assert agents.Runner.run_sync(assistant(), "go").final_output
    assert emission.tree() == ALONE
    lasting_loop.run_until_complete(client.close())
    asyncio.set_event_loop(None)


def test_a_consumer_that_leaves_does_not_end_the_run(
    run: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    async def left() -> None:
        result = agents.Runner.run_streamed(assistant(tools=[weather]), "go")
        async for _ in result.stream_events():
            break
        task = getattr(result, "run_loop_task", None) or result._run_impl_task
        await task

    run(left())
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool weather",
        f"  {CHAT}",
    ]
    assert "otel_agents.stream.abandoned" not in (emission.spans[-1].attributes or {})
    balanced()


@Runs
def test_spans_that_a_tool_makes_itself(run: Any, start: Any, emission: Emission) -> None:
    @agents.function_tool
    def plan() -> str:
        """Plan."""
        with agents.agent_span("planner"), agents.function_span("look_up"):
            return "planned"

    run(start(assistant(tools=[plan])))
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool plan",
        "    invoke_agent planner",
        "      execute_tool look_up",
        f"  {CHAT}",
    ]
