"""Runs in threads and tasks: one trace under the caller's span, whatever carries them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterable, Callable, Iterable
from importlib import import_module
from typing import Any

import pytest
from conversations import CHAT, agent, config, executor, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

groups: Any = import_module("autogen.agentchat.group.multi_agent_chat")
patterns: Any = import_module("autogen.agentchat.group.patterns")


def drain(events: Iterable[Any]) -> None:
    for _ in events:
        pass


async def drain_async(events: AsyncIterable[Any]) -> None:
    async for _ in events:
        pass


def group(model: ScriptedModel) -> dict[str, Any]:
    members = [agent(name, model) for name in ("bob", "carol")]
    pattern = patterns.RoundRobinPattern(
        initial_agent=members[0], agents=members, group_manager_args={"llm_config": config(model)}
    )
    return {"pattern": pattern, "messages": "hi", "max_rounds": 3}


def queue(model: ScriptedModel) -> list[dict[str, Any]]:
    return [{"recipient": agent(n, model), "message": "hi", "max_turns": 1} for n in ("a", "b")]


def run(model: ScriptedModel) -> None:
    drain(agent("a", model).run(message="hi", max_turns=1).events)


def run_with_a_recipient(model: ScriptedModel) -> None:
    drain(executor().run(agent("a", model), message="hi", max_turns=1).events)


def run_iter(model: ScriptedModel) -> None:
    drain(agent("a", model).run_iter(message="hi", max_turns=1))


def a_run(model: ScriptedModel) -> None:
    async def main() -> None:
        await drain_async((await agent("a", model).a_run(message="hi", max_turns=1)).events)

    asyncio.run(main())


def a_run_iter(model: ScriptedModel) -> None:
    asyncio.run(drain_async(agent("a", model).a_run_iter(message="hi", max_turns=1)))


def sequential_run(model: ScriptedModel) -> None:
    for response in executor().sequential_run(queue(model)):
        drain(response.events)


def a_sequential_run(model: ScriptedModel) -> None:
    async def main() -> None:
        for response in await executor().a_sequential_run(queue(model)):
            await drain_async(response.events)

    asyncio.run(main())


def initiate_group_chat(model: ScriptedModel) -> None:
    groups.initiate_group_chat(**group(model))


def a_initiate_group_chat(model: ScriptedModel) -> None:
    asyncio.run(groups.a_initiate_group_chat(**group(model)))


def run_group_chat(model: ScriptedModel) -> None:
    drain(groups.run_group_chat(**group(model)).events)


def run_group_chat_iter(model: ScriptedModel) -> None:
    drain(groups.run_group_chat_iter(**group(model)))


def a_run_group_chat(model: ScriptedModel) -> None:
    async def main() -> None:
        await drain_async((await groups.a_run_group_chat(**group(model))).events)

    asyncio.run(main())


def a_run_group_chat_iter(model: ScriptedModel) -> None:
    asyncio.run(drain_async(groups.a_run_group_chat_iter(**group(model))))


ONE = ["  invoke_workflow", *turn_of("a", CHAT, depth=2)]
GROUP = [
    *["  invoke_workflow", *turn_of("bob", CHAT, depth=2)],
    *["    handoff carol", *turn_of("carol", CHAT, depth=2)],
]
SEQUENCE = [
    "  invoke_workflow",
    *("    invoke_workflow", *turn_of("a", CHAT, depth=3)),
    *("    invoke_workflow", *turn_of("b", CHAT, depth=3)),
]
RUNS: list[tuple[Callable[[ScriptedModel], None], list[str]]] = [
    *((one, ONE) for one in (run, run_with_a_recipient, run_iter, a_run, a_run_iter)),
    *((sequence, SEQUENCE) for sequence in (sequential_run, a_sequential_run)),
    *((one, GROUP) for one in (initiate_group_chat, a_initiate_group_chat)),
    *((one, GROUP) for one in (run_group_chat, run_group_chat_iter)),
    *((one, GROUP) for one in (a_run_group_chat, a_run_group_chat_iter)),
]


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize(("start", "tree"), RUNS, ids=lambda it: getattr(it, "__name__", ""))
def test_a_run(
    start: Callable[[ScriptedModel], None],
    tree: list[str],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    tracer = emission.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("request"):
        start(model)
    assert emission.tree() == ["request", *tree]
    assert len([name for name in emission.names if name == CHAT]) == model.ledger.requests


@pytest.mark.usefixtures("instrumented")
def test_a_failing_run_ends_the_sequence(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(400))
    responses = executor().sequential_run(queue(model))
    with pytest.raises(Exception, match="400"):
        drain(responses[0].events)
    failed = ["chat gpt-4o-mini", "invoke_agent a", "invoke_workflow", "invoke_workflow"]
    assert [(span.name, (span.attributes or {})["error.type"]) for span in emission.spans] == [
        (name, "openai.BadRequestError") for name in failed
    ]
    assert emission.traces() == 1


def reply_to_prompts(events: Iterable[Any], line: str) -> None:
    for event in events:
        if event.type == "input_request":
            event.content.respond(line)


async def reply_to_prompts_async(events: AsyncIterable[Any], line: str) -> None:
    async for event in events:
        if event.type == "input_request":
            await event.content.respond(line)


def run_with_human(human: Any, assistant: Any) -> None:
    reply_to_prompts(human.run(assistant, message="hi").events, "exit")


def run_iter_with_human(human: Any, assistant: Any) -> None:
    reply_to_prompts(human.run_iter(assistant, message="hi"), "exit")


def a_run_with_human(human: Any, assistant: Any) -> None:
    async def main() -> None:
        response = await human.a_run(assistant, message="hi")
        await reply_to_prompts_async(response.events, "exit")

    asyncio.run(main())


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("start", [run_with_human, run_iter_with_human, a_run_with_human])
def test_human_input_by_events(
    start: Callable[[Any, Any], None], model: ScriptedModel, emission: Emission
) -> None:
    start(executor("human", human_input_mode="ALWAYS"), agent("assistant", model))
    human_turn = turn_of("human", "human_input")
    assert emission.tree() == ["invoke_workflow", *turn_of("assistant", CHAT), *human_turn]
