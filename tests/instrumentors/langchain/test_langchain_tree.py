"""One run, one trace: graphs, nodes, agents and tools, with every call under what made it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from langchain_core.runnables import RunnableLambda
from langchain_core.tools import tool
from langchain_graphs import CHAT, State, agent, attributes, compiled, turn, ways

from otel_agents.instrumentors import hosting
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
HI = {"messages": [("user", "hi")]}


def billed(emission: Emission) -> list[tuple[Any, Any]]:
    return [
        (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"])
        for found in attributes(emission, CHAT)
    ]


# Agents.


WAYS = ways(HI)
EVENTS = WAYS.pop("astream_events")


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_an_agent_is_its_calls_of_models_and_tools(
    way: Callable[[Any, Loop], object],
    llm: Any,
    loop: Loop,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    way(agent(llm, "helper"), loop)
    assert emission.tree() == turn("helper")
    assert emission.traces() == 1
    assert billed(emission) == [(it.input_tokens, it.output_tokens) for it in model.ledger.entries]


def test_the_events_of_an_agent_are_one_run(llm: Any, loop: Loop, emission: Emission) -> None:
    EVENTS(agent(llm, "helper"), loop)
    hosting.drain_streams(5)
    assert emission.tree() == turn("helper")


# Graphs.


def first(state: State) -> Any:
    return {"steps": ["first"]}


def second(state: State) -> Any:
    return {"steps": ["second"]}


async def slow(state: State) -> Any:
    await asyncio.sleep(0)
    return {"steps": ["slow"]}


EMPTY: dict[str, Any] = {"steps": []}


def test_nodes_are_numbered_steps(emission: Emission) -> None:
    assert compiled(first, second).invoke(EMPTY) == {"steps": ["first", "second"]}
    assert emission.tree() == ["invoke_workflow", "  node first", "  node second"]
    assert attributes(emission, "invoke_workflow") == [{"gen_ai.operation.name": "invoke_workflow"}]
    assert attributes(emission, "node first") == [
        {"otel_agents.step.type": "node", "otel_agents.step.number": 1}
    ]
    assert attributes(emission, "node second") == [
        {"otel_agents.step.type": "node", "otel_agents.step.number": 2}
    ]


def test_an_async_graph(loop: Loop, emission: Emission) -> None:
    result = loop.run_until_complete(compiled(slow, first).ainvoke(EMPTY))
    assert result == {"steps": ["slow", "first"]}
    assert emission.tree() == ["invoke_workflow", "  node slow", "  node first"]


def test_a_name_of_the_run_is_the_workflows(emission: Emission) -> None:
    compiled(first).invoke(EMPTY, {"run_name": "nightly"})
    assert emission.tree() == ["invoke_workflow nightly", "  node first"]


def test_a_graph_as_a_node_is_the_node(emission: Emission) -> None:
    compiled(first, ("below", compiled(second))).invoke(EMPTY)
    assert emission.tree() == [
        "invoke_workflow",
        "  node first",
        "  invoke_workflow below",
        "    node second",
    ]
    assert attributes(emission, "invoke_workflow below") == [
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "below",
            "otel_agents.step.number": 2,
        }
    ]


def test_a_graph_that_a_node_calls_is_below_the_node(emission: Emission) -> None:
    below = compiled(second)

    def caller(state: State) -> Any:
        return below.invoke(EMPTY)

    compiled(caller).invoke(EMPTY)
    assert emission.tree() == [
        "invoke_workflow",
        "  node caller",
        "    invoke_workflow",
        "      node second",
    ]


def test_a_graph_that_a_tool_calls_is_below_the_tool(llm: Any, emission: Emission) -> None:
    below = compiled(second)

    @tool
    def research(topic: str) -> str:
        """Find out about a topic."""
        return str(below.invoke(EMPTY))

    agent(llm, "helper", [research]).invoke(HI)
    first_call, call, last_call = turn("helper", calls=("research",))[1:]
    assert emission.tree()[1:] == [
        first_call,
        call,
        "    invoke_workflow",
        "      node second",
        last_call,
    ]


def test_parts_of_a_node_are_not_shown_unless_they_were_named(emission: Emission) -> None:
    parts: Any = RunnableLambda(second) | RunnableLambda(first)

    def caller(state: State) -> Any:
        parts.invoke(state)
        return parts.with_config(run_name="both").invoke(state)

    compiled(("parts", parts), caller).invoke(EMPTY)
    assert emission.tree() == [
        "invoke_workflow",
        "  node parts",
        "  node caller",
        "    chain both",
    ]


def test_two_runs_are_two_traces(emission: Emission) -> None:
    run = compiled(first)
    run.invoke(EMPTY)
    run.invoke(EMPTY)
    assert emission.traces() == 2
