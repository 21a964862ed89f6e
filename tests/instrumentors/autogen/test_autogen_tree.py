"""One run, one trace: teams and agents, with every call under the agent that made it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, agents, assistant, round_robin, teams, token, turn
from opentelemetry import trace

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors.autogen import AutoGenInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

PAIR = ["invoke_workflow", *turn("first"), *turn("second")]


def pair(client: Any, **more: Any) -> Any:
    return round_robin(assistant("first", client), assistant("second", client), **more)


def turns(emission: Emission) -> list[tuple[Any, Any]]:
    """Return name and turn of each agent's run, in the order of their start."""
    spans = [s for s in emission.spans if s.name.startswith("invoke_agent")]
    ordered = sorted(spans, key=lambda span: span.start_time or 0)
    attributes: list[Any] = [span.attributes or {} for span in ordered]
    return [(a["gen_ai.agent.name"], a.get("otel_agents.turn")) for a in attributes]


def test_a_team(run: Any, client: Any, emission: Emission, balanced: Callable[[], None]) -> None:
    result = run(pair(client, turns=3).run(task="go"))
    assert [message.source for message in result.messages] == ["user", "first", "second", "first"]
    assert emission.tree() == [*PAIR, *turn("first")]
    assert emission.traces() == 1
    assert turns(emission) == [("first", 1), ("second", 2), ("first", 3)]
    balanced()


def test_a_team_that_is_streamed(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    async def streamed() -> list[str]:
        return [type(item).__name__ async for item in pair(client).run_stream(task="go")]

    assert run(streamed()) == ["TextMessage", "TextMessage", "TextMessage", "TaskResult"]
    assert emission.tree() == PAIR
    balanced()


def test_an_agent_alone(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    run(assistant("first", client).run(task="go"))
    assert emission.tree() == turn("first", depth=0)
    assert turns(emission) == [("first", None)]
    balanced()


def test_an_agent_that_is_streamed(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    async def streamed() -> int:
        return len([1 async for _ in assistant("first", client).run_stream(task="go")])

    assert run(streamed()) == 3
    assert emission.tree() == turn("first", depth=0)
    assert "otel_agents.stream.abandoned" not in (emission.spans[-1].attributes or {})
    balanced()


def test_messages_that_an_application_hands_to_an_agent(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    messages: Any = import_module("autogen_agentchat.messages")

    async def handed() -> None:
        agent = assistant("first", client)
        input_messages = [messages.TextMessage(content="go", source="user")]
        await agent.on_messages(input_messages, token())
        stream = agent.on_messages_stream(input_messages, token())
        async for item in stream:
            assert item.chat_message.content
            break  # a caller that has the response may stop
        await stream.aclose()

    run(handed())
    finalization.drain(5)
    assert emission.tree() == [*turn("first", depth=0), *turn("first", depth=0)]
    assert all("otel_agents.stream.abandoned" not in (s.attributes or {}) for s in emission.spans)
    balanced()


def test_teams_at_once(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    async def both() -> None:
        await asyncio.gather(pair(client).run(task="go"), pair(client).run(task="go"))

    run(both())
    assert emission.tree() == PAIR * 2
    assert emission.traces() == 2
    balanced()


def test_what_is_current_between_two_messages_is_the_applications(
    run: Any, client: Any, emission: Emission
) -> None:
    seen: list[bool] = []

    async def streamed() -> None:
        async for _ in pair(client).run_stream(task="go"):
            seen.append(trace.get_current_span().get_span_context().is_valid)
        seen.append(trace.get_current_span().get_span_context().is_valid)

    run(streamed())
    assert seen == [False] * 5


def test_runs_of_one_team_share_a_conversation(run: Any, client: Any, emission: Emission) -> None:
    async def twice() -> None:
        team = pair(client)
        await team.run(task="go")
        await team.run(task="go on")

    run(twice())
    assert emission.tree() == [*PAIR, *PAIR]
    assert emission.traces() == 2
    ids = {str((span.attributes or {})["gen_ai.conversation.id"]) for span in emission.spans}
    assert len(ids) == 1


def test_a_swarm_hands_over_as_the_model_requests(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    model.script(Response(tool_calls=[ToolCall("transfer_to_second", {})]))
    members = [assistant("first", client, handoffs=["second"]), assistant("second", client)]
    team = teams.Swarm(members, max_turns=2)
    run(team.run(task="go"))
    first_turn = turn("first", CHAT, "execute_tool transfer_to_second")
    assert emission.tree() == ["invoke_workflow", *first_turn, *turn("second")]
    assert emission.events == []
    balanced()


def test_an_agent_that_extends_another_has_one_turn(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    class Polite(agents.AssistantAgent):
        async def on_messages_stream(self, messages: Any, cancellation_token: Any) -> Any:
            stream = agents.AssistantAgent.on_messages_stream(self, messages, cancellation_token)
            async for item in stream:
                yield item

    run(round_robin(Polite("first", client), turns=1).run(task="go"))
    assert emission.tree() == ["invoke_workflow", *turn("first")]
    balanced()


def test_every_target_is_found() -> None:
    for module in ("autogen_agentchat.teams", "autogen_ext.models.openai"):
        import_module(module)
    report = AutoGenInstrumentor().report()
    assert report.of("missing") == []
