"""An exception or a cancellation is the error of every span that it passes."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import pytest
from conversations import CHAT, agent, executor, talk, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ModelRequest, Response, ScriptedModel

SECRET = "planted-secret"

pytestmark = pytest.mark.usefixtures("instrumented")


def errors(emission: Emission) -> list[tuple[str, Any]]:
    """Return the span names in the order in which they ended, with their errors."""
    return [(span.name, (span.attributes or {}).get("error.type")) for span in emission.spans]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_refused_request(asynchronous: bool, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(400, message=SECRET))
    assistant = agent("assistant", model)
    with pytest.raises(Exception, match=SECRET) as raised:
        talk(executor(), assistant, max_turns=1, asynchronous=asynchronous)
    assert type(raised.value).__name__ == "BadRequestError"
    names = ("chat gpt-4o-mini", "invoke_agent assistant", "invoke_workflow")
    assert errors(emission) == [(name, "openai.BadRequestError") for name in names]
    assert [span.status.status_code.name for span in emission.spans] == ["ERROR"] * 3
    assert [span.status.description for span in emission.spans] == [None] * 3
    assert SECRET not in emission.texts()


def test_a_failing_reply_function(model: ScriptedModel, emission: Emission) -> None:
    def refuse(recipient: Any, messages: Any, sender: Any, config: Any) -> Any:
        raise LookupError(SECRET)

    assistant = agent("assistant", model)
    assistant.register_reply("user", refuse)
    with pytest.raises(LookupError, match=SECRET):
        talk(executor(), assistant, max_turns=1)
    names = ("invoke_agent assistant", "invoke_workflow")
    assert errors(emission) == [(name, "LookupError") for name in names]
    assert SECRET not in emission.texts()


def test_a_cancelled_chat(model: ScriptedModel, emission: Emission) -> None:
    called, gate = threading.Event(), threading.Event()

    def hold(request: ModelRequest) -> Response:
        called.set()
        return Response("late", gate=gate)

    model.script_by(hold)

    async def cancel() -> None:
        user, assistant = executor(), agent("assistant", model)
        chat = user.a_initiate_chat(assistant, message="hi", max_turns=1, silent=True)
        task = asyncio.create_task(chat)
        await asyncio.to_thread(called.wait, 10)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()

    asyncio.run(cancel())  # waits for the threads of its executor
    cancelled = "asyncio.exceptions.CancelledError"
    assert errors(emission) == [
        ("invoke_agent assistant", cancelled),
        ("invoke_workflow", cancelled),
        ("chat gpt-4o-mini", None),  # the request in a thread cannot be cancelled
    ]
    assert emission.tree() == ["invoke_workflow", *turn_of("assistant", CHAT)]


@pytest.mark.usefixtures("model")
def test_wrong_arguments_raise_as_before(emission: Emission) -> None:
    with pytest.raises(TypeError):
        executor().initiate_chat()
    with pytest.raises(AssertionError):
        executor().generate_reply()
    assert [error for _, error in errors(emission)] == ["TypeError", "AssertionError"]
