"""Errors of tools and models, and cancelled turns: each error is on the spans that it failed."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from importlib import import_module
from threading import Event
from typing import Any

import pytest
from ag2_agents import CHAT, ag2, agent, calling, run, tool, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall

pytestmark = pytest.mark.usefixtures("instrumented")

SECRET = "planted-secret"


@tool
def break_down() -> str:
    """Break down."""
    raise LookupError(SECRET)


def errors(emission: Emission) -> list[tuple[str, Any]]:
    """Return the span names in order of their start, with their errors."""
    spans = sorted(emission.spans, key=lambda span: span.start_time or 0)
    return [(span.name, (span.attributes or {}).get("error.type")) for span in spans]


def test_a_failing_tool_is_not_an_error_of_the_turn(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Callable[[], None]
) -> None:
    model.script_by(calling(ToolCall("break_down")))
    run(lambda: agent("Guide", config, tools=[break_down]).ask("Go"))
    tool_span = ("execute_tool break_down", "LookupError")
    turn = ("invoke_agent Guide", None)
    assert errors(emission) == [turn, (CHAT, None), tool_span, (CHAT, None)]
    assert ("gen_ai.client.operation.exception", {"exception.type": "LookupError"}) in (
        emission.events
    )
    assert SECRET not in emission.texts()
    ledger()


def test_an_unknown_tool_is_not_executed(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Callable[[], None]
) -> None:
    model.script(Response(tool_calls=(ToolCall("no_such_tool"),)), "done")
    run(lambda: agent("Guide", config, tools=[break_down]).ask("Go"))
    assert emission.tree() == turn_of("Guide", CHAT, CHAT)
    ledger()


@pytest.mark.parametrize("response", ["no", "yes"])
def test_a_tool_is_executed_if_a_human_approves(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Callable[[], None], response: str
) -> None:
    approval: Any = import_module("ag2.middleware").approval_required()
    sent: list[str] = []

    def send_mail() -> str:
        """Send it."""
        sent.append("mail")
        return "sent"

    guarded = ag2.tool(send_mail, middleware=[approval])
    model.script_by(calling(ToolCall("send_mail")))
    run(lambda: agent("Guide", config, tools=[guarded], hitl_hook=lambda: response).ask("Go"))
    expected_tools = ["execute_tool send_mail"] if response == "yes" else []
    assert emission.tree() == turn_of("Guide", CHAT, "human_input", *expected_tools, CHAT)
    assert len(sent) == len(expected_tools)
    for span in (span for span in emission.spans if span.name in expected_tools):
        attributes = dict(span.attributes or {})
        assert attributes["gen_ai.tool.description"] == "Send it."
        assert attributes["gen_ai.tool.call.id"]
    ledger()


@pytest.mark.parametrize("streaming", [False, True])
def test_a_refused_model_call_fails_the_turn(
    config: Any, model: ScriptedModel, emission: Emission, streaming: bool
) -> None:
    config.streaming = streaming
    model.script(Failure(401, message=SECRET))
    with pytest.raises(import_module("openai").AuthenticationError, match=SECRET):
        run(lambda: agent("Guide", config).ask("Go"))
    error = "openai.AuthenticationError"
    assert errors(emission) == [("invoke_agent Guide", error), (CHAT, error)]
    assert emission.tree() == turn_of("Guide")
    assert model.ledger.requests == 1
    assert SECRET not in emission.texts()


def test_each_retry_of_the_middleware_is_a_span(
    config: Any, model: ScriptedModel, emission: Emission
) -> None:
    retry: Any = import_module("ag2.middleware").RetryMiddleware(max_retries=3)
    model.script(Failure(500), Failure(429))
    run(lambda: agent("Guide", config, middleware=[retry]).ask("Go"))
    assert errors(emission) == [
        ("invoke_agent Guide", None),
        (CHAT, "openai.InternalServerError"),
        (CHAT, "openai.RateLimitError"),
        (CHAT, None),
    ]
    assert model.ledger.requests == 3
    tokens: list[Any] = [
        (span.attributes or {}).get("gen_ai.usage.input_tokens", 0)
        for span in emission.spans
        if span.name == CHAT
    ]
    assert sum(tokens) == model.ledger.input_tokens


def test_a_retry_of_the_sdk_is_part_of_one_span(
    config: Any, model: ScriptedModel, emission: Emission
) -> None:
    config.max_retries = 2
    model.script(Failure(500, headers={"retry-after-ms": "1"}))
    run(lambda: agent("Guide", config).ask("Go"))
    assert errors(emission) == [("invoke_agent Guide", None), (CHAT, None)]
    assert model.ledger.requests == 2


@pytest.mark.parametrize("method", ["ask", "run"])
def test_a_cancelled_turn(
    config: Any, model: ScriptedModel, emission: Emission, method: str
) -> None:
    called, release = Event(), Event()

    def never(request: Any) -> Response:
        called.set()
        release.wait(5)
        return Response("late")

    async def run_turn() -> None:
        if method == "ask":
            await agent("Guide", config).ask("Go")
        async with agent("Guide", config).run("Go") as running:
            await running.result()

    async def main() -> None:
        task = asyncio.ensure_future(run_turn())
        await asyncio.get_running_loop().run_in_executor(None, called.wait, 5)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    model.script_by(never)
    try:
        run(main)
    finally:
        release.set()
    error = "asyncio.exceptions.CancelledError"
    assert errors(emission) == [("invoke_agent Guide", error), (CHAT, error)]


def test_a_failing_sub_agent(
    config: Any, model: ScriptedModel, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.CRITICAL)
    scout = agent("Scout", config)
    call_scout = calling(ToolCall("task_Scout", {"objective": "look"}))

    def react(request: Any) -> Any:
        return call_scout(request) if request.tools else Failure(400, message=SECRET)

    model.script_by(react)
    run(lambda: agent("Boss", config, tools=[scout.as_tool(description="looks")]).ask("Go"))
    refused = "openai.BadRequestError"
    assert errors(emission) == [
        ("invoke_agent Boss", None),
        (CHAT, None),
        ("execute_tool task_Scout", None),
        ("invoke_agent Scout", refused),
        (CHAT, refused),
        (CHAT, None),
    ]
    assert SECRET not in emission.texts()


def test_our_error_does_not_fail_the_turn(
    config: Any, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns: Any = import_module("otel_agents.instrumentors.ag2._turns")
    kept: list[str] = []

    def fail(context: Any) -> Any:
        raise RuntimeError("ours")

    monkeypatch.setattr(turns, "numbered_turn", fail)
    errors_: Any = import_module("otel_agents.instrumentors._core.errors")
    monkeypatch.setattr(errors_, "internal_error", kept.append)
    reply = run(lambda: agent("Guide", config).ask("Go"))
    assert (reply.body, kept) == ("done", ["starting an operation"])
    assert emission.tree() == [CHAT]
