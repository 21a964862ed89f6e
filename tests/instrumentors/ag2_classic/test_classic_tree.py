"""One run, one trace: every kind of chat, with each child in its turn."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from conversations import (
    CHAT,
    agent,
    autogen,
    calculator,
    config,
    executor,
    group,
    talk,
    turn_of,
    turns,
)
from opentelemetry import trace
from opentelemetry.context import attach, detach

from otel_agents.instrumentors import with_conversation_id
from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ModelRequest, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

TOOL_CALL = Response(tool_calls=[ToolCall("calculate", {"a": 1, "b": 2})])
CALCULATION = [
    "invoke_workflow",
    *turn_of("assistant", CHAT),
    *turn_of("user", "execute_tool calculate"),
    *turn_of("assistant", CHAT),
]


def plus(a: int, b: int) -> int:
    return a + b


async def aplus(a: int, b: int) -> int:
    await asyncio.sleep(0)
    return a + b


def test_every_target_exists() -> None:
    assert AG2ClassicInstrumentor().report().of("missing") == []


@pytest.mark.parametrize("tool", [plus, aplus])
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_chat_with_a_tool(
    asynchronous: bool, tool: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(TOOL_CALL, Response("3"))
    assistant, user = calculator(model, tool)
    result = talk(user, assistant, max_turns=2, asynchronous=asynchronous)
    assert result.summary == "3"
    assert (emission.tree(), emission.traces()) == (CALCULATION, 1)
    assert turns(emission) == [
        ("invoke_agent assistant", 1),
        ("invoke_agent user", 2),
        ("invoke_agent assistant", 3),
    ]


def test_an_agent_that_ends_the_conversation_has_no_turn(
    model: ScriptedModel, emission: Emission
) -> None:
    user = executor(is_termination_msg=bool)
    for asynchronous in (False, True):
        talk(user, agent("assistant", model), asynchronous=asynchronous)
    assert emission.tree() == ["invoke_workflow", *turn_of("assistant", CHAT)] * 2


def test_a_sequence_of_chats(model: ScriptedModel, emission: Emission) -> None:
    first, second = agent("first", model), agent("second", model)
    settings: dict[str, Any] = {"message": "hi", "max_turns": 1, "silent": True}
    summarized = {**settings, "recipient": second, "summary_method": "reflection_with_llm"}
    executor().initiate_chats([{**settings, "recipient": first}, summarized])
    assert emission.tree() == [
        "invoke_workflow",
        *("  invoke_workflow", *turn_of("first", CHAT, depth=2)),
        *("  invoke_workflow", *turn_of("second", CHAT, depth=2), f"    {CHAT}"),
    ]


def test_an_async_sequence_of_chats(model: ScriptedModel, emission: Emission) -> None:
    first, second = agent("first", model), agent("second", model)
    settings: dict[str, Any] = {"message": "hi", "max_turns": 1, "silent": True}
    queue = [
        {**settings, "chat_id": 1, "recipient": first, "sender": executor("a")},
        {
            **settings,
            "chat_id": 2,
            "recipient": second,
            "sender": executor("b"),
            "prerequisites": [1],
        },
    ]
    asyncio.run(import_module("autogen.agentchat.chat").a_initiate_chats(queue))
    assert emission.tree() == [
        "invoke_workflow",
        *("  invoke_workflow", *turn_of("first", CHAT, depth=2)),
        *("  invoke_workflow", *turn_of("second", CHAT, depth=2)),
    ]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_nested_chats(asynchronous: bool, model: ScriptedModel, emission: Emission) -> None:
    writer, user = agent("writer", model), executor()
    settings: dict[str, Any] = {"message": "hi", "max_turns": 1, "silent": True}
    nested = [{**settings, "recipient": agent(name, model)} for name in ("critic", "editor")]
    if asynchronous:
        nested = [{**chat, "chat_id": number} for number, chat in enumerate(nested)]
    how = {"use_async": True} if asynchronous else {}
    writer.register_nested_chats(nested, trigger=user, **how)
    talk(user, writer, max_turns=1, asynchronous=asynchronous)
    assert sorted(emission.tree(), key=lambda line: line.strip()) == sorted(
        [
            "invoke_workflow",
            "  invoke_agent writer",
            *("    invoke_workflow", *turn_of("critic", CHAT, depth=3)),
            *("    invoke_workflow", *turn_of("editor", CHAT, depth=3)),
        ],
        key=lambda line: line.strip(),
    )
    assert emission.traces() == 1


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_group(asynchronous: bool, model: ScriptedModel, emission: Emission) -> None:
    first, manager = group(model, "round_robin")
    talk(first, manager, asynchronous=asynchronous)
    assert emission.tree() == ["invoke_workflow", *turn_of("carol", CHAT), *turn_of("dora", CHAT)]
    assert [number for _, number in turns(emission)] == [1, 2]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_group_with_speakers_selected_by_a_model(
    asynchronous: bool, model: ScriptedModel, emission: Emission
) -> None:
    def react(request: ModelRequest) -> Response:
        first = str(request.body["messages"][0])
        return Response("dora" if "role play" in first else "hello")

    model.script_by(react)
    first, manager = group(model, "auto", rounds=2)
    talk(first, manager, asynchronous=asynchronous)
    assert emission.tree() == [
        "invoke_workflow",
        *("  select_speaker", f"    {CHAT}"),
        *turn_of("dora", CHAT),
    ]
    assert turns(emission) == [("invoke_agent dora", 1)]
    assert selection(emission) == {**SELECTED, "otel_agents.step.outcome": "dora"}


SELECTED = {"otel_agents.step.type": "select_speaker", "otel_agents.step.count": 1}


def selection(emission: Emission) -> dict[str, Any]:
    (selected,) = [span for span in emission.spans if span.name == "select_speaker"]
    return dict(selected.attributes or {})


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(
    ("responses", "attributes"),
    [
        (["nobody", "dora"], {"otel_agents.step.outcome": "dora"}),
        (
            ["nobody", "carol or dora", "anybody"],
            {"otel_agents.step.outcome": "carol", "error.type": "undecided"},
        ),
    ],
)
def test_a_selection_with_several_attempts(
    asynchronous: bool,
    responses: list[str],
    attributes: dict[str, Any],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """If no response names an agent, the next one has the turn and the selection has an error."""
    model.script(*responses, "hello")
    talk(*group(model, "auto", rounds=2), asynchronous=asynchronous)
    chosen = attributes["otel_agents.step.outcome"]
    assert emission.tree() == [
        *["invoke_workflow", "  select_speaker", *[f"    {CHAT}"] * len(responses)],
        *turn_of(chosen, CHAT),
    ]
    assert selection(emission) == {
        **SELECTED,
        "otel_agents.step.count": len(responses),
        **attributes,
    }


def test_a_named_group(model: ScriptedModel, emission: Emission) -> None:
    talk(*group(model, "round_robin", rounds=2, name="newsroom"))
    assert emission.tree() == ["invoke_workflow newsroom", *turn_of("carol", CHAT)]
    token = attach(with_conversation_id("c-17"))
    try:
        talk(*group(model, "round_robin", rounds=2))
    finally:
        detach(token)
    ids = [(span.attributes or {}).get("gen_ai.conversation.id") for span in emission.spans]
    assert ids == [*[None] * 3, *["c-17"] * 3]


def test_a_group_with_speakers_selected_by_a_human(
    model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("builtins.input", lambda prompt="": "3")
    talk(*group(model, "manual", rounds=2))
    assert emission.tree() == ["invoke_workflow", "  human_input", *turn_of("dora", CHAT)]


def test_a_group_within_a_turn_is_a_workflow_of_its_own(
    model: ScriptedModel, emission: Emission
) -> None:
    outer, inner = agent("outer", model), group(model, "round_robin", rounds=2)[1]
    chat = autogen.GroupChat([outer, inner], [], 2, speaker_selection_method="round_robin")
    manager = autogen.GroupChatManager(groupchat=chat, llm_config=config(model), name="top")
    talk(outer, manager)
    assert emission.tree() == [
        "invoke_workflow top",
        *("  invoke_workflow", *turn_of("bob", CHAT, depth=2)),
    ]


def test_a_reply_without_a_chat(model: ScriptedModel, emission: Emission) -> None:
    assistant = agent("assistant", model)
    messages = [{"role": "user", "content": "hi"}]
    assistant.generate_reply(messages)
    asyncio.run(assistant.a_generate_reply(messages))
    assert emission.tree() == turn_of("assistant", CHAT, depth=0) * 2
    assert [number for _, number in turns(emission)] == [None, None]


def test_turns_within_a_tool_are_not_of_the_chat(model: ScriptedModel, emission: Emission) -> None:
    async def call_agents(a: int, b: int) -> str:
        messages = [{"role": "user", "content": "hi"}]
        user.generate_reply(messages)
        return agent("helper", model).generate_reply(messages)

    model.script(TOOL_CALL)
    assistant, user = calculator(model, call_agents)
    talk(user, assistant, max_turns=2)
    inner = [*turn_of("user", depth=3), *turn_of("helper", CHAT, depth=3)]
    assert emission.tree() == [
        "invoke_workflow",
        *turn_of("assistant", CHAT),
        *("  invoke_agent user", "    execute_tool calculate", *inner),
        *turn_of("assistant", CHAT),
    ]
    assert [number for _, number in turns(emission)] == [1, 2, None, None, 3]


def test_the_callers_span_is_the_parent(model: ScriptedModel, emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("test")
    with tracer.start_as_current_span("request") as request:
        talk(executor(), agent("assistant", model), max_turns=1, asynchronous=True)
        assert trace.get_current_span() is request
    inner = ["  invoke_workflow", *turn_of("assistant", CHAT, depth=2)]
    assert emission.tree() == ["request", *inner]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_agent_called_within_a_turn_has_no_turn_of_the_chat(
    asynchronous: bool, model: ScriptedModel, emission: Emission
) -> None:
    helper, caller = agent("helper", model), executor("asking")

    def call_agents(recipient: Any, messages: Any, sender: Any, config: Any) -> tuple[bool, Any]:
        recipient.send("hi", helper, request_reply=False, silent=True)
        return True, helper.generate_reply(sender=recipient)

    caller.register_reply([autogen.Agent, None], call_agents)
    talk(agent("user", model), caller, max_turns=2, asynchronous=asynchronous)
    assert turns(emission) == [
        ("invoke_agent asking", 1),
        ("invoke_agent helper", None),
        ("invoke_agent user", 2),
        ("invoke_agent asking", 3),
        ("invoke_agent helper", None),
    ]
