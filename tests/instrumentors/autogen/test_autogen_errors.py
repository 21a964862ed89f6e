"""Errors, cancellation and abandoned runs: every span ends exactly once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import pytest
from autogen_teams import CHAT, agents, assistant, round_robin, token, turn

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ModelRequest, Response, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")
SECRET = "planted-secret"


def errors(emission: Emission) -> dict[str, Any]:
    return {span.name: (span.attributes or {}).get("error.type") for span in emission.spans}


class Silent(agents.BaseChatAgent):
    """Wait for ever, and report that it does."""

    def __init__(self) -> None:
        agents.BaseChatAgent.__init__(self, "silent", "d")
        self.waiting = asyncio.Event()

    @property
    def produced_message_types(self) -> Any:
        return ()

    async def on_messages(self, messages: Any, cancellation_token: Any) -> Any:
        self.waiting.set()
        future = asyncio.get_running_loop().create_future()
        cancellation_token.link_future(future)
        await future

    async def on_reset(self, cancellation_token: Any) -> None:
        return None


def test_a_model_that_refuses_an_agent(
    run: Any, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(lambda request: Failure(401, message=SECRET))
    with pytest.raises(Exception, match=SECRET):
        run(assistant("first", client).run(task="go"))
    assert emission.tree() == turn("first", depth=0)
    refused = "openai.AuthenticationError"
    assert errors(emission) == {CHAT: refused, "invoke_agent first": refused}
    assert SECRET not in emission.texts()


def test_a_run_that_is_cancelled_by_its_token(run: Any, emission: Emission) -> None:
    async def cancelled() -> None:
        silent, stop = Silent(), token()
        running = asyncio.create_task(round_robin(silent).run(task="go", cancellation_token=stop))
        await silent.waiting.wait()
        stop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    run(cancelled())
    kind = "asyncio.exceptions.CancelledError"
    assert errors(emission) == {"invoke_workflow": kind, "invoke_agent silent": kind}
    assert emission.tree() == ["invoke_workflow", "  invoke_agent silent"]


def test_a_team_whose_task_is_cancelled(
    run: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    balanced: Callable[[], None],
) -> None:
    """AutoGen waits for the end of the turn, and only then raises."""
    requested, respond = threading.Event(), threading.Event()

    def hold(request: ModelRequest) -> Response:
        requested.set()
        assert respond.wait(20)
        return Response("well")

    async def cancelled() -> None:
        team = round_robin(assistant("first", client), turns=1)
        running = asyncio.create_task(team.run(task="go"))
        await asyncio.to_thread(requested.wait, 20)
        running.cancel()
        await asyncio.sleep(0)
        respond.set()
        with pytest.raises(asyncio.CancelledError):
            await running

    model.script_by(hold)
    run(cancelled())
    assert emission.tree() == ["invoke_workflow", *turn("first")]
    kind = "asyncio.exceptions.CancelledError"
    assert errors(emission) == {"invoke_workflow": kind, "invoke_agent first": None, CHAT: None}
    balanced()


def test_an_agent_whose_task_is_cancelled(run: Any, emission: Emission) -> None:
    async def cancelled() -> None:
        silent = Silent()
        running = asyncio.create_task(silent.run(task="go"))
        await silent.waiting.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    run(cancelled())
    assert errors(emission) == {"invoke_agent silent": "asyncio.exceptions.CancelledError"}


def test_a_run_that_is_not_read_to_its_end_is_abandoned(
    run: Any, client: Any, emission: Emission, balanced: Callable[[], None]
) -> None:
    async def left() -> None:
        stream = round_robin(assistant("first", client), turns=1).run_stream(task="go")
        async for _ in stream:
            break
        await stream.aclose()

    run(left())
    finalization.drain(5)
    assert emission.tree() == ["invoke_workflow", *turn("first")]
    (team,) = [span for span in emission.spans if span.name == "invoke_workflow"]
    assert (team.attributes or {})["otel_agents.stream.abandoned"] is True
    assert set(errors(emission).values()) == {None}
    balanced()


def test_a_team_that_may_not_run_twice_at_once(run: Any, emission: Emission) -> None:
    async def twice() -> None:
        silent, stop = Silent(), token()
        team = round_robin(silent)
        first = asyncio.create_task(team.run(task="go", cancellation_token=stop))
        await silent.waiting.wait()
        with pytest.raises(ValueError, match="already running"):
            await team.run(task="go")
        stop.cancel()
        with pytest.raises(asyncio.CancelledError):
            await first

    run(twice())
    recorded = [(s.name, (s.attributes or {}).get("error.type")) for s in emission.spans]
    cancelled = "asyncio.exceptions.CancelledError"
    assert recorded == [
        ("invoke_workflow", "ValueError"),
        ("invoke_agent silent", cancelled),
        ("invoke_workflow", cancelled),
    ]
