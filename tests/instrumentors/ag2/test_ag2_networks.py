"""Networks: one message is one trace with every turn that it causes, and ends with the last one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from ag2_agents import CHAT, agent, calling, run, span_named, tool, turn_of
from ag2_networks import CLOSED, TEXT, WORKFLOW, network, opened, over_sockets, under, until

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

Check = Callable[[], None]
_NETWORK: Any = import_module("ag2.network")


def handoffs(emission: Emission) -> list[tuple[Any, Any]]:
    return [
        (attributes.get("otel_agents.handoff.from"), attributes["otel_agents.handoff.to"])
        for name, attributes in emission.events
        if name == "otel_agents.handoff"
    ]


def conversations(emission: Emission) -> list[Any]:
    spans: list[Any] = [span for span in emission.spans if span.name.startswith("invoke")]
    return [span.attributes["gen_ai.conversation.id"] for span in spans]


def turns(emission: Emission) -> list[tuple[str, Any]]:
    spans: list[Any] = [span for span in emission.spans if span.name.startswith("invoke_agent")]
    return [(span.name.split()[1], span.attributes["otel_agents.turn"]) for span in spans]


@pytest.mark.usefixtures("instrumented")
def test_a_workflow_with_a_fixed_graph(config: Any, emission: Emission, ledger: Check) -> None:
    async def main() -> str:
        agents = [agent(name, config) for name in ("triage", "expert", "closer")]
        async with network(*agents) as net:
            steps = net.graph(("human", "triage"), ("triage", "expert"), ("expert", "closer"))
            channel = await opened(net, "workflow", "triage", "expert", "closer", knobs=steps)
            await channel.send("Help me")
            await net.received(CLOSED)
            await until(lambda: WORKFLOW in emission.names)
        return channel.channel_id

    channel = run(main)
    assert emission.tree() == under(
        WORKFLOW,
        *turn_of("triage"),
        "handoff expert",
        *turn_of("expert"),
        "handoff closer",
        *turn_of("closer"),
    )
    assert emission.traces() == 1
    assert conversations(emission) == [channel] * 4
    assert turns(emission) == [("triage", 1), ("expert", 2), ("closer", 3)]
    assert handoffs(emission) == [("triage", "expert"), ("expert", "closer")]
    workflow = span_named(emission, WORKFLOW)
    assert workflow.end_time >= max(span.end_time or 0 for span in emission.spans)
    records: list[Any] = [log.log_record for log in emission.logs]
    assert {record.span_id for record in records} == {workflow.context.span_id}
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_a_handoff_by_the_model_is_a_tool_call(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    def pass_on() -> Any:
        """Pass it on."""
        return _NETWORK.Handoff(target="expert", reason="knows it")

    async def main() -> None:
        triage = agent("triage", config, tools=[tool(pass_on)])
        async with network(triage, agent("expert", config)) as net:
            steps = net.graph(("human", "triage"))
            channel = await opened(net, "workflow", "triage", "expert", knobs=steps)
            await channel.send("Help me")
            await net.received(CLOSED)

    model.script_by(calling(ToolCall("pass_on")))
    run(main)
    triage_turn = turn_of("triage", CHAT, "execute_tool pass_on", CHAT)
    assert emission.tree() == under(WORKFLOW, *triage_turn, *turn_of("expert"))
    assert handoffs(emission) == []
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_no_handoff_after_the_last_turn(config: Any, emission: Emission) -> None:
    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            steps = net.graph(("human", "a"), ("a", "b"), ("b", "a"), max_turns=3)
            await (await opened(net, "workflow", "a", "b", knobs=steps)).send("Go")
            await net.received(CLOSED)

    run(main)
    assert emission.tree() == under(WORKFLOW, *turn_of("a"), "handoff b", *turn_of("b"))
    assert handoffs(emission) == [("a", "b")]


@pytest.mark.usefixtures("instrumented")
def test_each_message_to_one_agent_is_a_trace_of_the_same_conversation(
    config: Any, emission: Emission, ledger: Check
) -> None:
    tracer = emission.tracer_provider.get_tracer("app")

    async def main() -> str:
        with tracer.start_as_current_span("set up"):  # later turns are not part of it
            net = network(agent("expert", config))
            entered = await net.__aenter__()
            channel = await opened(entered, "conversation", "expert")
        for number in (1, 2):
            await channel.send("What?")
            await until(lambda number=number: len(turns(emission)) == number)
        await net.__aexit__(None, None, None)
        return channel.channel_id

    channel = run(main)
    assert emission.tree() == ["set up", *turn_of("expert") * 2]
    assert emission.traces() == 3
    assert conversations(emission) == [channel] * 2
    assert turns(emission) == [("expert", 1), ("expert", 2)]
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_a_message_belongs_to_the_trace_that_it_is_sent_in(config: Any, emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("app")

    def is_text(envelope: Any) -> bool:
        return envelope.event_type == TEXT

    async def consult(net: Any) -> None:
        with tracer.start_as_current_span("request"):
            channel = await opened(net, "consulting", "expert")
            await channel.send("What?")
            await net.human.wait_for_channel_event(channel_id=channel.channel_id, predicate=is_text)

    async def main() -> None:
        async with network(agent("expert", config)) as net:
            await asyncio.gather(consult(net), consult(net))

    run(main)
    assert emission.tree() == under("request", *turn_of("expert")) * 2
    assert emission.traces() == 2


@pytest.mark.usefixtures("instrumented")
def test_an_agent_that_delegates(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    async def main() -> None:
        boss = agent("boss", config)
        async with network(boss, agent("expert", config)):
            await boss.ask("Go")

    delegate = calling(ToolCall("delegate", {"target": "expert", "prompt": "What?"}))

    def react(request: Any) -> Any:
        last = request.body["messages"][-1]
        return delegate(request) if last.get("content") == "Go" else Response("done")

    model.script_by(react)
    run(main)
    delegated = under("execute_tool delegate", *turn_of("expert"))
    assert emission.tree() == turn_of("boss", CHAT, *delegated, CHAT)
    assert emission.traces() == 1
    assert len(set(conversations(emission))) == 1
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_a_discussion(config: Any, emission: Emission, ledger: Check) -> None:
    async def main() -> None:
        async with network(agent("a", config), agent("b", config)) as net:
            channel = await opened(net, "discussion", "a", "b")
            await channel.send("Discuss")
            await until(lambda: WORKFLOW in emission.names)
            await channel.send("Go on")
            await until(lambda: emission.names.count(WORKFLOW) == 2)

    run(main)
    assert emission.tree() == under(WORKFLOW, *turn_of("a"), *turn_of("b")) * 2
    assert emission.traces() == 2
    assert turns(emission) == [("a", 1), ("b", 2), ("a", 3), ("b", 4)]
    assert len(set(conversations(emission))) == 1
    ledger()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("traced", [False, True])
def test_agents_in_another_process(
    config: Any, emission: Emission, ledger: Check, traced: bool
) -> None:
    tracer = emission.tracer_provider.get_tracer("app")
    own = {"tracer_provider": emission.tracer_provider} if traced else {}

    async def main() -> str:
        async with network(**own) as net, over_sockets(net.hub) as client:
            with tracer.start_as_current_span("set up"):  # later turns are not part of it
                await client.register(agent("a", config), _NETWORK.Passport(name="a"))
                await client.register(agent("b", config), _NETWORK.Passport(name="b"))
            channel = await opened(net, "discussion", "a", "b")
            await channel.send("Discuss")
            for _ in range(2):
                await net.received(TEXT)
            await until(lambda: emission.names.count(message) == (3 if traced else 0))
        return channel.channel_id

    message = f"network.envelope {TEXT}"
    channel = run(main)
    turn_trees = [turn_of("a"), turn_of("b")]
    expected = [line for one in turn_trees for line in (under(message, *one) if traced else one)]
    assert emission.tree() == ["set up", *expected, *([message] if traced else [])]
    assert emission.traces() == (4 if traced else 3)
    assert conversations(emission) == [channel] * 2
    agents: list[Any] = [span for span in emission.spans if span.name.startswith("invoke_agent")]
    assert not any("otel_agents.turn" in span.attributes for span in agents)
    ledger()
