"""Agents, their tools, and agents that work together."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from langchain_core.messages import AIMessage
from langchain_core.prompts import ChatPromptTemplate, MessagesPlaceholder
from langchain_core.tools import ToolException, tool
from langchain_graphs import CHAT, CORE, LANGGRAPH, NAMED, add, agent, attributes, chat, turn
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

HI = {"messages": [("user", "hi")]}
FACTORY = pytest.mark.skipif(
    find_spec("langchain.agents.middleware") is None, reason="no create_agent"
)


def failed(emission: Emission) -> dict[str, object]:
    """Return the error type of each span that has one, by the span's name."""
    found = {span.name: (span.attributes or {}).get("error.type") for span in emission.spans}
    return {name: error for name, error in found.items() if error is not None}


# Tools.


def test_a_tool_has_the_id_of_its_call(llm: Any, emission: Emission, model: ScriptedModel) -> None:
    model.script(Response(tool_calls=[ToolCall("add", {"a": 1, "b": 2}, id="call_7")]), "3")
    agent(llm, "helper").invoke(HI)
    (found,) = attributes(emission, "execute_tool add")
    named = {"gen_ai.agent.name": "helper"} if NAMED else {}
    assert found.pop("gen_ai.tool.call.id", "call_7") == "call_7"
    assert found == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "add",
        "gen_ai.tool.type": "function",
        **named,
    }


def test_tools_that_run_at_once_are_siblings(
    llm: Any, emission: Emission, model: ScriptedModel
) -> None:
    calls = [ToolCall("add", {"a": 1, "b": 2}), ToolCall("add", {"a": 3, "b": 4})]
    model.script(Response(tool_calls=calls), "10")
    agent(llm, "helper").invoke(HI)
    assert emission.tree() == [
        *turn("helper")[:-1],
        "  execute_tool add",
        f"  {CHAT}",
    ]


def test_what_a_tool_calls_is_below_it(llm: Any, emission: Emission, model: ScriptedModel) -> None:
    inner = agent(chat(model), "inner")

    @tool
    def delegate(task: str) -> str:
        """Let somebody else do it."""
        return str(inner.invoke(HI))

    model.script(Response(tool_calls=[ToolCall("delegate", {"task": "add"})]))
    agent(llm, "outer", [delegate]).invoke(HI)
    outer = turn("outer", calls=("delegate",))
    assert emission.tree() == [*outer[:3], *turn("inner", depth=2), outer[3]]


@pytest.mark.skipif(Version("0.2.14") > CORE, reason="a message of a tool has no status")
def test_an_error_that_a_tool_handles_is_its_own(
    llm: Any, emission: Emission, model: ScriptedModel
) -> None:
    @tool
    def fails(topic: str) -> str:
        """Find out about a topic."""
        raise ToolException("secret")

    fails.handle_tool_error = True
    model.script(Response(tool_calls=[ToolCall("fails", {"topic": "x"})]), "Sorry.")
    agent(llm, "helper", [fails]).invoke(HI)
    assert emission.tree() == turn("helper", calls=("fails",))
    assert failed(emission) == {"execute_tool fails": "tool_error"}


@pytest.mark.skipif(Version("0.2") > LANGGRAPH, reason="the node of tools handles none")
def test_an_error_that_the_node_of_tools_handles_is_the_tools(
    llm: Any, emission: Emission, model: ScriptedModel
) -> None:
    nodes: Any = import_module("langgraph.prebuilt")

    @tool
    def fails(topic: str) -> str:
        """Find out about a topic."""
        raise LookupError("secret")

    node = nodes.ToolNode([fails], handle_tool_errors=True)
    call: Any = {"name": "fails", "args": {"topic": "x"}, "id": "c-1", "type": "tool_call"}
    graphs: Any = import_module("langgraph.graph")
    built = graphs.StateGraph(graphs.MessagesState)
    built.add_node("tools", node)
    built.add_edge(graphs.START, "tools")
    built.compile().invoke({"messages": [AIMessage("", tool_calls=[call])]})
    assert emission.tree() == ["invoke_workflow", "  node tools", "    execute_tool fails"]
    assert failed(emission) == {"execute_tool fails": "LookupError"}
    assert "secret" not in emission.texts()


def test_a_tool_alone(emission: Emission) -> None:
    assert add.invoke({"a": 1, "b": 2}) == 3
    assert emission.tree() == ["execute_tool add"]


# Agents that work together.


def test_an_agent_as_a_node_is_the_node(llm: Any, emission: Emission) -> None:
    graphs: Any = import_module("langgraph.graph")
    team = graphs.StateGraph(graphs.MessagesState)
    team.add_node("helper", agent(llm))
    team.add_edge(graphs.START, "helper")
    team.compile().invoke(HI)
    inner = turn(depth=1)
    assert emission.tree() == ["invoke_workflow", "  invoke_agent helper", *inner[1:]]
    (found,) = attributes(emission, "invoke_agent helper")
    assert found["otel_agents.step.number"] == 1


@pytest.mark.skipif(not NAMED, reason="no supervisor")
def test_a_supervisor_and_its_agents(llm: Any, emission: Emission, model: ScriptedModel) -> None:
    model.script(Response(tool_calls=[ToolCall("transfer_to_helper", {})]), "I did.", "Done.")
    create: Any = import_module("langgraph_supervisor").create_supervisor
    create([agent(llm, "helper")], model=llm, supervisor_name="boss").compile().invoke(HI)
    assert emission.tree() == [
        "invoke_workflow",
        "  invoke_agent boss",
        f"    {CHAT}",
        "    execute_tool transfer_to_helper",
        "  invoke_agent helper",
        f"    {CHAT}",
        "  invoke_agent boss",
        f"    {CHAT}",
    ]
    assert failed(emission) == {}
    (helper,) = attributes(emission, "invoke_agent helper")
    assert helper["otel_agents.step.number"] == 2


@pytest.mark.skipif(not NAMED, reason="no swarm")
def test_a_swarm_hands_over(llm: Any, emission: Emission, model: ScriptedModel) -> None:
    swarm: Any = import_module("langgraph_swarm")
    model.script(Response(tool_calls=[ToolCall("transfer_to_second", {})]), "Done.")
    to_second = swarm.create_handoff_tool(agent_name="second")
    agents = [agent(llm, "first", [to_second]), agent(llm, "second")]
    swarm.create_swarm(agents, default_active_agent="first").compile().invoke(HI)
    assert emission.tree() == [
        "invoke_workflow",
        "  invoke_agent first",
        f"    {CHAT}",
        "    execute_tool transfer_to_second",
        "  invoke_agent second",
        f"    {CHAT}",
    ]
    assert failed(emission) == {}


# Middleware.


@FACTORY
def test_middleware_is_not_shown_and_what_it_calls_is_the_agents(
    llm: Any, emission: Emission, model: ScriptedModel
) -> None:
    middleware: Any = import_module("langchain.agents.middleware")
    create: Any = import_module("langchain.agents").create_agent

    class Guard(middleware.AgentMiddleware):
        """Calls a model before the agent's own."""

        def before_model(self, state: Any, runtime: Any) -> Any:
            llm.invoke("Is that safe?")

        def wrap_model_call(self, request: Any, handler: Any) -> Any:
            return handler(request)

    create(llm, [add], name="helper", middleware=[Guard()]).invoke(HI)
    assert emission.tree() == [
        "invoke_agent helper",
        *(f"  {CHAT}", f"  {CHAT}"),
        "  execute_tool add",
        *(f"  {CHAT}", f"  {CHAT}"),
    ]


@FACTORY
def test_a_human_in_the_loop_is_an_interrupt_of_the_agent(
    llm: Any, emission: Emission, model: ScriptedModel
) -> None:
    middleware: Any = import_module("langchain.agents.middleware")
    create: Any = import_module("langchain.agents").create_agent
    types: Any = import_module("langgraph.types")
    memory: Any = import_module("langgraph.checkpoint.memory")
    approval = middleware.HumanInTheLoopMiddleware(interrupt_on={"add": True})
    run = create(
        llm, [add], name="helper", middleware=[approval], checkpointer=memory.InMemorySaver()
    )
    thread: Any = {"configurable": {"thread_id": "t-1"}}
    run.invoke(HI, thread)
    assert emission.tree() == ["invoke_agent helper", f"  {CHAT}"]
    assert emission.events == [("otel_agents.interrupt", {})]
    assert failed(emission) == {}
    run.invoke(types.Command(resume={"decisions": [{"type": "approve"}]}), thread)
    assert emission.tree()[2:] == ["invoke_agent helper", "  execute_tool add", f"  {CHAT}"]
    assert emission.traces() == 2


# Executors.

PROMPT = ChatPromptTemplate.from_messages(
    [("human", "{input}"), MessagesPlaceholder("agent_scratchpad")]
)


def executor(llm: Any) -> Any:
    package = "langchain_classic" if find_spec("langchain_classic") else "langchain"
    agents: Any = import_module(f"{package}.agents")
    planner = agents.create_tool_calling_agent(llm, [add], PROMPT)
    return agents.AgentExecutor(agent=planner, tools=[add])


async def drained(run: Any) -> None:
    async for _ in run.astream({"input": "hi"}):
        pass


@pytest.mark.parametrize("way", ["invoke", "ainvoke", "stream", "astream", "iter"])
def test_an_executor_is_an_agent(way: str, llm: Any, loop: Any, emission: Emission) -> None:
    run = executor(llm)
    if way == "astream":
        loop.run_until_complete(drained(run))
    elif way == "stream":
        list(run.stream({"input": "hi"}))
    elif way == "iter":
        list(run.iter({"input": "hi"}))
    elif way == "ainvoke":
        loop.run_until_complete(run.ainvoke({"input": "hi"}))
    else:
        run.invoke({"input": "hi"})
    assert emission.tree() == turn()
    assert emission.traces() == 1


def test_an_executor_has_the_name_of_its_run(llm: Any, emission: Emission) -> None:
    executor(llm).invoke({"input": "hi"}, {"run_name": "helper"})
    assert emission.tree() == ["invoke_agent helper", *turn()[1:]]


def test_an_unknown_tool_of_an_executor_is_not_run(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("unknown", {})]), "Sorry.")
    executor(llm).invoke({"input": "hi"})
    assert emission.tree() == ["invoke_agent", f"  {CHAT}", f"  {CHAT}"]
