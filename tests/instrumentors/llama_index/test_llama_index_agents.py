"""Agents, and workflows of several agents."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from llama_index.core.llms import ChatMessage
from llama_index.core.workflow import Context, HumanResponseEvent, InputRequiredEvent
from llama_index_parts import CHAT, WORKFLOWS, add, attributes
from llama_index_runs import WRAPPED, WRAPS, Run, agents, errors, memories, tools, turn
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")


@pytest.mark.parametrize("streaming", [True, False])
def test_an_agent_is_its_calls_of_models_and_tools(
    streaming: bool, llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    agent = agents.FunctionAgent(name="helper", tools=[add], llm=llm, streaming=streaming)

    async def main() -> Any:
        return await agent.run("Add.")

    assert str(run(main)) == "Hello from the scripted model."
    assert emission.tree() == turn("helper")
    assert emission.traces() == 1
    (call,) = attributes(emission, "execute_tool add")
    assert call.pop("gen_ai.tool.call.id").startswith("call_")
    assert call == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "add",
        "gen_ai.tool.type": "function",
        "gen_ai.agent.name": "helper",
    }


def test_an_agent_without_a_name(llm: Any, run: Run, emission: Emission) -> None:
    async def main() -> None:
        handler = agents.FunctionAgent(tools=[add], llm=llm).run("Add.")
        async for _ in handler.stream_events():
            pass
        await handler

    run(main)
    assert emission.tree() == turn("")


@pytest.mark.parametrize("streaming", [True, False])
def test_an_agent_that_reasons(
    streaming: bool, llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    model.script(
        'Thought: A tool.\nAction: add\nAction Input: {"a": 1, "b": 2}',
        "Thought: I can answer without using any more tools.\nAnswer: 3",
    )

    async def main() -> Any:
        agent = agents.ReActAgent(name="thinker", tools=[add], llm=llm, streaming=streaming)
        return await agent.run("Add.")

    assert str(run(main)) == "3"
    assert emission.tree() == turn("thinker")


def executed(code: str) -> str:
    return "3"


def test_an_agent_that_writes_code(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    model.script("<execute>print(1 + 2)</execute>", "It is 3.")

    async def main() -> Any:
        agent = agents.CodeActAgent(name="coder", code_execute_fn=executed, tools=[], llm=llm)
        return await agent.run("Add.")

    assert str(run(main)) == "It is 3."
    assert emission.tree() == turn("coder", calls=("execute",))


def test_agents_that_run_at_once_are_traces_of_their_own(
    llm: Any, run: Run, emission: Emission
) -> None:
    agent = agents.FunctionAgent(name="helper", tools=[add], llm=llm)

    async def main() -> None:
        await asyncio.gather(*(one() for one in [called, called]))

    async def called() -> None:
        await agent.run("Add.")

    run(main)
    assert emission.tree() == [*turn("helper"), *turn("helper")]
    assert emission.traces() == 2


def test_an_agent_in_a_tool_is_below_it(llm: Any, run: Run, emission: Emission) -> None:
    inner = agents.FunctionAgent(name="inner", tools=[add], llm=llm)

    async def delegate(task: str) -> str:
        """Let somebody else do it."""
        return str(await inner.run(task))

    outer = agents.FunctionAgent(
        name="outer", tools=[tools.FunctionTool.from_defaults(async_fn=delegate)], llm=llm
    )

    async def main() -> None:
        await outer.run("Add.")

    run(main)
    first, request, tool, last = turn("outer", calls=("delegate",))
    assert emission.tree() == [first, request, tool, *turn("inner", 2), last]


def test_a_failing_tool_is_its_own_error(llm: Any, run: Run, emission: Emission) -> None:
    def fails(topic: str) -> str:
        """Find out about a topic."""
        raise LookupError("secret")

    agent = agents.FunctionAgent(
        name="helper", tools=[tools.FunctionTool.from_defaults(fails)], llm=llm
    )

    async def main() -> None:
        await agent.run("Add.")

    run(main)
    assert emission.tree() == turn("helper", calls=("fails",))
    assert errors(emission) == {"execute_tool fails": "LookupError"}
    assert "secret" not in emission.texts()


def test_a_failing_model_fails_the_agent(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(400))
    agent = agents.FunctionAgent(name="helper", tools=[add], llm=llm)

    async def main() -> None:
        await agent.run("Add.")

    with pytest.raises(Exception, match="400"):
        run(main)
    assert errors(emission) == {
        CHAT: "openai.BadRequestError",
        "invoke_agent helper": WRAPPED if WRAPS else "openai.BadRequestError",
    }


def test_a_tool_that_waits_for_a_person(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    async def delete(ctx: Context) -> str:
        """Delete everything."""
        prompt = InputRequiredEvent.model_validate({"prefix": "Sure?"})
        reply = await ctx.wait_for_event(HumanResponseEvent, waiter_event=prompt)
        return str(reply.response)

    delete.__annotations__["ctx"] = Context  # LlamaIndex does not resolve annotations
    model.script(Response(tool_calls=[ToolCall("delete", {})]), "Done.")
    tool = tools.FunctionTool.from_defaults(async_fn=delete)
    agent = agents.FunctionAgent(name="helper", tools=[tool], llm=llm)

    async def main() -> Any:
        handler = agent.run("Delete.")
        async for event in handler.stream_events():
            if isinstance(event, InputRequiredEvent):
                handler.ctx.send_event(HumanResponseEvent.model_validate({"response": "yes"}))
        return await handler

    assert str(run(main)) == "Done."
    first, request, call, last = turn("helper", calls=("delete",))
    calls = [call] if Version("2.9") > WORKFLOWS else [call, call]  # it is run again
    assert emission.tree() == [first, request, *calls, last]
    assert errors(emission) == {}
    assert emission.events == [("otel_agents.interrupt", {})]


# Several agents.


def team(llm: Any) -> Any:
    members = [
        agents.FunctionAgent(name=name, description=name, tools=[add], llm=llm)
        for name in ("triage", "expert")
    ]
    return agents.AgentWorkflow(agents=members, root_agent="triage")


HANDOFF = Response(tool_calls=[ToolCall("handoff", {"to_agent": "expert", "reason": "r"})])


def test_a_handoff_ends_the_turn_of_an_agent(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    model.script(HANDOFF, Response(tool_calls=[ToolCall("add", {"a": 1, "b": 2})]), "3")

    async def main() -> Any:
        return await team(llm).run("Add.")

    assert str(run(main)) == "3"
    assert emission.tree() == [
        "invoke_workflow",
        *turn("triage", 1, ("handoff",))[:3],
        *turn("expert", 1),
    ]
    assert emission.traces() == 1
    assert attributes(emission, "execute_tool handoff")[0]["gen_ai.agent.name"] == "triage"


def test_a_failure_is_that_of_the_agent_whose_turn_it_is(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    model.script(HANDOFF, Failure(400))

    async def main() -> None:
        await team(llm).run("Add.")

    with pytest.raises(Exception, match="400"):
        run(main)
    raised = WRAPPED if WRAPS else "openai.BadRequestError"
    assert errors(emission) == {
        CHAT: "openai.BadRequestError",
        "invoke_agent expert": raised,
        "invoke_workflow": raised,
    }
    exceptions = [name for name, _ in emission.events if name.endswith("exception")]
    assert len(exceptions) == 2  # of the SDK, and of the agent


# Memory.


def test_blocks_of_a_memory(llm: Any, run: Run, model: ScriptedModel, emission: Emission) -> None:
    block = memories.StaticMemoryBlock(name="profile", static_content="He likes tea.")
    memory = memories.Memory.from_defaults(session_id="s-1", memory_blocks=[block])
    agent = agents.FunctionAgent(name="helper", tools=[], llm=llm)

    async def main() -> None:
        await agent.run("Hi.", memory=memory)

    run(main)
    tree = emission.tree()
    assert tree[0] == "invoke_agent helper"
    assert set(tree[1:]) == {"  search_memory", f"  {CHAT}"}
    assert attributes(emission, "search_memory")[0] == {
        "gen_ai.operation.name": "search_memory",
        "gen_ai.memory.store.id": "profile",
        "gen_ai.memory.record.count": 1,
    }


def test_a_block_that_keeps_facts(
    run: Run, llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    """It asks a model what to keep of the messages that leave the memory."""
    model.script("<facts><fact>He likes tea.</fact></facts>")
    blocks: Any = import_module("llama_index.core.memory")
    block = blocks.FactExtractionMemoryBlock(name="facts", llm=llm)

    async def main() -> Any:
        await block.aput(
            [ChatMessage(role="user", content="I like tea.")], from_short_term_memory=True
        )
        return await block.aget([])

    assert run(main) == "<fact>He likes tea.</fact>"
    assert emission.tree() == ["create_memory", f"  {CHAT}", "search_memory"]
    assert attributes(emission, "create_memory") == [
        {
            "gen_ai.operation.name": "create_memory",
            "gen_ai.memory.store.id": "facts",
            "gen_ai.memory.record.count": 1,
        }
    ]
