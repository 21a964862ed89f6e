"""Agents, workflows of several agents, and workflows of the application."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from importlib import import_module
from typing import Any

import pytest
from llama_index.core.workflow import (
    Context,
    Event,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
)
from llama_index_parts import CHAT, add, attributes, chat

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

agents: Any = import_module("llama_index.core.agent.workflow")  # its types are partly unknown
tools: Any = import_module("llama_index.core.tools")
workflows: Any = import_module("llama_index.core.workflow")
step: Any = workflows.step
failures: Any = import_module("workflows.errors")
memories: Any = import_module("llama_index.core.memory")

Loop = asyncio.AbstractEventLoop
Run = Callable[[Callable[[], Coroutine[Any, Any, Any]]], Any]


@pytest.fixture
def run(loop: Loop) -> Run:
    """Return what runs a coroutine function in the loop of the test."""
    return lambda main: loop.run_until_complete(main())


def turn(name: str, depth: int = 0, calls: tuple[str, ...] = ("add",)) -> list[str]:
    """Return the tree of an agent that calls a tool and then answers."""
    lines = [f"invoke_agent {name}".strip(), f"  {CHAT}"]
    for call in calls:
        lines += [f"  execute_tool {call}", f"  {CHAT}"]
    return ["  " * depth + line for line in lines]


def errors(emission: Emission) -> dict[str, object]:
    """Return the error type of each span that has one, by the span's name."""
    found = {span.name: (span.attributes or {}).get("error.type") for span in emission.spans}
    return {name: error for name, error in found.items() if error is not None}


# Agents.


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


def test_an_agent_that_reasons(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    model.script(
        'Thought: A tool.\nAction: add\nAction Input: {"a": 1, "b": 2}',
        "Thought: I can answer without using any more tools.\nAnswer: 3",
    )

    async def main() -> Any:
        return await agents.ReActAgent(name="thinker", tools=[add], llm=llm).run("Add.")

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
    assert errors(emission) == dict.fromkeys(
        (CHAT, "invoke_agent helper"), "openai.BadRequestError"
    )


def test_runs_with_one_memory_are_one_conversation(llm: Any, run: Run, emission: Emission) -> None:
    agent = agents.FunctionAgent(name="helper", tools=[], llm=llm)

    async def main() -> None:
        memory = memories.Memory.from_defaults(session_id="s-1")
        await agent.run("Hi.", memory=memory)
        await agent.run("Why?", memory=memory)

    run(main)
    assert emission.traces() == 2
    found = [dict(span.attributes or {}).get("gen_ai.conversation.id") for span in emission.spans]
    assert found == ["s-1"] * 4


def test_a_tool_that_waits_for_a_person(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    async def delete(ctx: Context) -> str:
        """Delete everything."""
        tree_of_query = InputRequiredEvent.model_validate({"prefix": "Sure?"})
        reply = await ctx.wait_for_event(HumanResponseEvent, waiter_event=tree_of_query)
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
    assert emission.tree() == [first, request, call, call, last]
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
    assert errors(emission) == dict.fromkeys(
        (CHAT, "invoke_agent expert", "invoke_workflow"), "openai.BadRequestError"
    )
    exceptions = [name for name, _ in emission.events if name.endswith("exception")]
    assert len(exceptions) == 2  # of the SDK, and of the agent


# Workflows.


def started(workflow: Any, **topic: str) -> Any:
    """Run a workflow; the type of its result is unknown."""
    return workflow.run(**topic)


class Drafted(Event):
    """A draft."""

    text: str


class JokeFlow(Workflow):
    """A workflow of two steps, of which one runs in a thread."""

    llm: Any

    def __init__(self, llm: Any) -> None:
        super().__init__()
        self.llm = llm

    @step
    async def draft(self, event: StartEvent) -> Drafted:
        return Drafted(text=str(await self.llm.acomplete("A joke.")))

    @step
    def rate(self, event: Drafted) -> StopEvent:
        return StopEvent(result=str(self.llm.complete(event.text)))


FLOW = ["invoke_workflow JokeFlow", "  step draft", f"    {CHAT}", "  step rate", f"    {CHAT}"]


def test_a_workflow_is_its_steps(llm: Any, run: Run, emission: Emission) -> None:
    async def main() -> Any:
        return await started(JokeFlow(llm), topic="tea")

    assert run(main) == "Hello from the scripted model."
    assert emission.tree() == FLOW
    assert attributes(emission, "step draft") == [{"otel_agents.step.type": "step"}]
    assert attributes(emission, "invoke_workflow JokeFlow") == [
        {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": "JokeFlow",
        }
    ]


def test_a_workflow_in_a_step_is_below_it(llm: Any, run: Run, emission: Emission) -> None:
    class Outer(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            return StopEvent(result=await JokeFlow(llm).run(topic="tea"))

    async def main() -> None:
        await Outer().run()

    run(main)
    assert emission.tree() == [
        "invoke_workflow Outer",
        "  step only",
        *("    " + line for line in FLOW),
    ]


def test_steps_that_run_at_once_are_siblings(llm: Any, run: Run, emission: Emission) -> None:
    class Part(Event):
        number: int

    class Fan(Workflow):
        @step
        async def split(self, ctx: Context, event: StartEvent) -> Part | None:
            for number in range(2):
                ctx.send_event(Part(number=number))
            return None

        @step(num_workers=2)
        async def work(self, event: Part) -> Drafted:
            return Drafted(text=str(await llm.acomplete("Hi")))

        @step(num_workers=1)
        async def join(self, ctx: Context, event: Drafted) -> StopEvent | None:
            found = ctx.collect_events(event, [Drafted, Drafted])
            return None if found is None else StopEvent(result=len(found))

    async def main() -> Any:
        return await started(Fan())

    assert run(main) == 2
    tree = emission.tree()
    assert sorted(tree[1:]) == sorted(
        ["  step split", *["  step work", f"    {CHAT}", "  step join"] * 2]
    )
    assert emission.traces() == 1


def test_a_failing_step(run: Run, emission: Emission) -> None:
    class Failing(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            raise LookupError("secret")

    async def main() -> None:
        await Failing().run()

    with pytest.raises(LookupError):
        run(main)
    assert errors(emission) == dict.fromkeys(
        ("invoke_workflow Failing", "step only"), "LookupError"
    )
    assert "secret" not in emission.texts()


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


# Tasks, threads and loops.


def test_a_cancelled_workflow(run: Run, emission: Emission) -> None:
    class Waiting(Workflow):
        @step
        async def only(self, event: StartEvent) -> StopEvent:
            started_step.set()
            await asyncio.Event().wait()
            return StopEvent()

    started_step = asyncio.Event()

    async def main() -> None:
        handler: Any = started(Waiting())
        await started_step.wait()
        await handler.cancel_run()
        with pytest.raises(failures.WorkflowCancelledByUser):
            await handler

    run(main)
    assert emission.tree() == ["invoke_workflow Waiting", "  step only"]
    assert errors(emission) == {}


def test_a_workflow_in_a_loop_of_a_thread_is_below_what_runs_it(
    llm: Any, run: Run, model: ScriptedModel, emission: Emission
) -> None:
    async def flow() -> Any:
        return await started(JokeFlow(chat(model)), topic="tea")

    def consult(topic: str) -> str:
        """Run a workflow in a loop of its own."""
        return str(asyncio.run(flow()))

    tool = tools.FunctionTool.from_defaults(fn=consult)
    agent = agents.FunctionAgent(name="helper", tools=[tool], llm=llm)

    async def main() -> None:
        await agent.run("Joke.")

    run(main)
    first, request, call, last = turn("helper", calls=("consult",))
    assert emission.tree() == [first, request, call, *("    " + line for line in FLOW), last]
    assert emission.traces() == 1


def test_a_workflow_that_nobody_awaits_ends(llm: Any, run: Run, emission: Emission) -> None:
    async def main() -> None:
        handler: Any = started(JokeFlow(llm), topic="tea")
        async for _ in handler.stream_events():
            pass
        await handler

    run(main)
    assert emission.tree() == FLOW
