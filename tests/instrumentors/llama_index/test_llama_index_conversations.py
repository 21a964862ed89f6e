"""Runs of one conversation: with one memory, or continued from a serialized ``Context``."""

import json
from typing import Any

import pytest
from llama_index.core.workflow import (
    Context,
    HumanResponseEvent,
    InputRequiredEvent,
    StartEvent,
    StopEvent,
    Workflow,
)
from llama_index_parts import CHAT, WORKFLOWS, attributes
from llama_index_runs import Run, agents, errors, memories, started, step, workflows
from opentelemetry.context import attach, detach
from packaging.version import Version

from otel_agents.instrumentors import with_conversation_id
from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")


with_state = pytest.mark.skipif(
    Version("1") > WORKFLOWS, reason="the state of a context that is part of the core is not read"
)


def conversations(emission: Emission) -> list[Any]:
    return [dict(span.attributes or {}).get("gen_ai.conversation.id") for span in emission.spans]


def saved(context: Any) -> str:
    """Return a context as an application stores it."""
    return json.dumps(context.to_dict(serializer=workflows.JsonPickleSerializer()))


def restored(workflow: Any, text: str) -> Any:
    """Return the context that an application has stored."""
    kind: Any = Context
    serializer = workflows.JsonPickleSerializer()
    return kind.from_dict(workflow, json.loads(text), serializer=serializer)


def test_runs_with_one_memory(llm: Any, run: Run, emission: Emission) -> None:
    agent = agents.FunctionAgent(name="helper", tools=[], llm=llm)

    async def main() -> None:
        memory = memories.Memory.from_defaults(session_id="s-1")
        await agent.run("Hi.", memory=memory)
        await agent.run("Why?", memory=memory)

    run(main)
    assert emission.traces() == 2
    assert conversations(emission) == ["s-1"] * 4


@with_state
def test_an_agent_that_continues_from_a_serialized_context(
    llm: Any, run: Run, emission: Emission
) -> None:
    async def request(prompt: str, state: str | None) -> str:
        agent = agents.FunctionAgent(name="helper", tools=[], llm=llm)
        memory = memories.ChatMemoryBuffer.from_defaults(chat_store_key="k-1")
        if state is None:
            handler = agent.run(prompt, memory=memory)
        else:
            handler = agent.run(prompt, ctx=restored(agent, state))
        await handler
        return saved(handler.ctx)

    async def main() -> None:
        await request("Why?", await request("Hi.", None))

    run(main)
    assert emission.tree() == ["invoke_agent helper", f"  {CHAT}"] * 2
    assert emission.traces() == 2
    assert conversations(emission) == ["k-1"] * 4


class Approval(Workflow):
    """A workflow that waits for a person, and keeps a memory in its state."""

    memory: Any = None

    @step
    async def prompt(self, ctx: Context, event: StartEvent) -> InputRequiredEvent:
        if self.memory is not None:
            await ctx.store.set("memory", self.memory)
        return InputRequiredEvent.model_validate({"prefix": "Delete?"})

    @step
    async def decide(self, ctx: Context, event: HumanResponseEvent) -> StopEvent:
        return StopEvent(result=event.response)


async def until_it_waits() -> str:
    """Run a workflow until it waits for a person; return its state."""
    handler: Any = started(Approval())
    async for event in handler.stream_events():
        if isinstance(event, InputRequiredEvent):
            break
    state = saved(handler.ctx)
    await handler.cancel_run()
    return state


async def resumed(state: str) -> str:
    """Resume it, and answer."""
    workflow = Approval()
    handler: Any = workflow.run(ctx=restored(workflow, state))
    handler.ctx.send_event(HumanResponseEvent.model_validate({"response": "yes"}))
    return str(await handler)


WAITS = [
    "invoke_workflow Approval",
    "  step prompt",
    "invoke_workflow Approval",
    "  step decide",
]


@with_state
def test_a_workflow_that_is_resumed_is_a_run_of_its_own(
    run: Run, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory = memories.ChatMemoryBuffer.from_defaults(chat_store_key="k-1")
    monkeypatch.setattr(Approval, "memory", memory)

    async def main() -> str:
        return await resumed(await until_it_waits())

    assert run(main) == "yes"
    assert emission.tree() == WAITS
    assert emission.traces() == 2
    (second,) = attributes(emission, "invoke_workflow Approval")[1:]
    assert second["gen_ai.conversation.id"] == "k-1"
    assert errors(emission) == {}


def test_a_named_conversation(run: Run, emission: Emission) -> None:
    async def main() -> str:
        token = attach(with_conversation_id("c-17"))
        try:
            return await resumed(await until_it_waits())
        finally:
            detach(token)

    assert run(main) == "yes"
    assert emission.tree() == WAITS
    assert conversations(emission) == ["c-17"] * 4
