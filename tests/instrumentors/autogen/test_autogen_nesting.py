"""Teams on a shared runtime, and agents and teams inside of others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import CHAT, agents, assistant, round_robin, teams, turn

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

PAIR = ["invoke_workflow", *turn("first"), *turn("second")]


def pair(client: Any, **more: Any) -> Any:
    return round_robin(assistant("first", client), assistant("second", client), **more)


def test_teams_on_the_runtime_of_an_application(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    """It works in the context in which it was started, and each run in that of its caller."""
    core: Any = import_module("autogen_core")
    tracer = emission.tracer_provider.get_tracer("application")

    async def handled(name: str, team: Any) -> None:
        with tracer.start_as_current_span(name):
            await team.run(task="go")

    async def served() -> None:
        runtime = core.SingleThreadedAgentRuntime()
        with tracer.start_as_current_span("start"):
            runtime.start()
        served = [pair(client, runtime=runtime) for _ in range(2)]
        await asyncio.gather(*(handled(f"request {n}", team) for n, team in enumerate(served)))
        await runtime.stop_when_idle()

    run(served())
    inner = ["  " + line for line in PAIR]
    assert emission.tree() == ["start", "request 0", *inner, "request 1", *inner]
    assert emission.traces() == 3
    balanced()


def test_a_team_that_takes_part_in_a_team(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    inner = pair(client, name="staff", description="d")
    run(round_robin(inner, assistant("boss", client), name="firm").run(task="go"))
    assert emission.tree() == [
        "invoke_workflow firm",
        "  invoke_workflow staff",
        *turn("first", depth=2),
        *turn("second", depth=2),
        *turn("boss"),
    ]
    ids = {str((span.attributes or {})["gen_ai.conversation.id"]) for span in emission.spans}
    assert len(ids) == 1
    balanced()


def test_a_team_that_speaks_as_one_agent(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    society = agents.SocietyOfMindAgent("society", team=pair(client), model_client=client)
    run(society.run(task="go"))
    inner = ["  " + line for line in PAIR]
    assert emission.tree() == ["invoke_agent society", *inner, f"  {CHAT}"]
    balanced()


def test_an_agent_that_gets_only_some_of_the_messages(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    config = agents.MessageFilterConfig(per_source=[agents.PerSourceFilter(source="user")])
    filtered = agents.MessageFilterAgent("filter", assistant("first", client), config)
    run(round_robin(filtered, turns=1).run(task="go"))
    inner = turn("first", depth=2)
    assert emission.tree() == ["invoke_workflow", "  invoke_agent filter", *inner]
    recorded = {s.name: (s.attributes or {}).get("otel_agents.turn") for s in emission.spans}
    assert (recorded["invoke_agent filter"], recorded["invoke_agent first"]) == (1, None)
    balanced()


def test_a_tool_that_calls_its_own_agent(
    run: Any, client: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    """The same object has another run."""
    again: list[Any] = []

    async def think(task: str) -> str:
        """Think."""
        return str(await again[0].run(task=task))

    call = ToolCall("think", {"task": "go"})
    model.script(Response(tool_calls=[call]), "thought")
    again.append(assistant("boss", client, tools=[think]))
    run(again[0].run(task="go"))
    called = (CHAT, "execute_tool think", "  invoke_agent boss", f"    {CHAT}")
    assert emission.tree() == turn("boss", *called, depth=0)
    balanced()


def test_teams_at_once_inside_of_one_agent_of_the_application(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    tracer = emission.tracer_provider.get_tracer("application")

    async def both() -> None:
        with tracer.start_as_current_span("request"):
            await asyncio.gather(pair(client).run(task="go"), pair(client).run(task="go"))

    run(both())
    inner = ["  " + line for line in PAIR]
    assert emission.tree() == ["request", *inner, *inner]
    assert emission.traces() == 1
    balanced()


def test_a_team_has_its_given_name(run: Any, client: Any, emission: Emission) -> None:
    run(pair(client, name="press").run(task="go"))
    assert emission.tree()[0] == "invoke_workflow press"
    assert teams.RoundRobinGroupChat.DEFAULT_NAME == "RoundRobinGroupChat"


def test_a_member_that_fails_fails_the_team(
    run: Any, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script("well", Failure(401, message="planted-secret"))
    with pytest.raises(RuntimeError, match="planted-secret"):
        run(pair(client).run(task="go"))
    assert emission.tree() == PAIR
    recorded = [(s.name, (s.attributes or {}).get("error.type")) for s in emission.spans]
    refused = "openai.AuthenticationError"
    assert recorded == [
        (CHAT, None),
        ("invoke_agent first", None),
        (CHAT, refused),
        ("invoke_agent second", refused),
        ("invoke_workflow", "RuntimeError"),
    ]
    assert "planted-secret" not in emission.texts()
