"""Requests that fail: the same exception for the caller, one span, a type and no text."""

from __future__ import annotations

import asyncio
import threading
from functools import partial
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES
from opentelemetry.trace import StatusCode

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Disconnect,
    Failure,
    Response,
    ScriptedModel,
    nothing_listening,
)

SECRET = "planted-secret"
NO_WAIT = {"retry-after-ms": "1", "retry-after": "0"}


def send(client: Any, **arguments: Any) -> Any:
    return client.messages.create(model="m", max_tokens=9, messages=MESSAGES, **arguments)


def error_types(emission: Emission) -> list[str]:
    return [str((span.attributes or {}).get("error.type")) for span in emission.spans]


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(
    ("status", "name"),
    [
        (400, "BadRequestError"),
        (401, "AuthenticationError"),
        (429, "RateLimitError"),
        (500, "InternalServerError"),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_the_provider(
    status: int,
    name: str,
    stream: bool,
    client: anthropic.Anthropic,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Failure(status, message=SECRET), Failure(status, message=SECRET))
    with pytest.raises(getattr(anthropic, name), match=SECRET):
        send(client, stream=stream)
    with pytest.raises(getattr(anthropic, name), match=SECRET):
        run(partial(send, stream=stream))
    assert error_types(emission) == [f"anthropic.{name}"] * 2
    for span in emission.spans:
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert [name for name, _ in emission.events] == ["gen_ai.client.operation.exception"] * 2
    durations = emission.points()["gen_ai.client.operation.duration"]
    assert [attributes["error.type"] for attributes, _ in durations] == [f"anthropic.{name}"]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_inside_one_span(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500, headers=NO_WAIT), Failure(429, headers=NO_WAIT), "Hi")
    with anthropic.Anthropic(base_url=model.base_url, api_key="none", max_retries=2) as client:
        send(client)
    assert model.ledger.requests == 3
    assert error_types(emission) == ["None"]
    tokens = (emission.span.attributes or {})["gen_ai.usage.input_tokens"]
    assert tokens == model.ledger.input_tokens


@pytest.mark.usefixtures("instrumented")
def test_a_refused_connection(emission: Emission) -> None:
    with (
        nothing_listening() as url,
        anthropic.Anthropic(base_url=url, api_key="none", max_retries=0) as client,
        pytest.raises(anthropic.APIConnectionError),
    ):
        send(client)
    assert error_types(emission) == ["anthropic.APIConnectionError"]


@pytest.mark.usefixtures("instrumented")
def test_a_connection_that_breaks(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Disconnect())
    with pytest.raises(anthropic.APIConnectionError):
        send(client)
    assert error_types(emission) == ["anthropic.APIConnectionError"]


@pytest.mark.usefixtures("instrumented")
def test_a_timeout(client: anthropic.Anthropic, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))
    with pytest.raises(anthropic.APITimeoutError):
        send(client, timeout=0.05)
    assert error_types(emission) == ["anthropic.APITimeoutError"]


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_call(run: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))

    async def use(client: anthropic.AsyncAnthropic) -> None:
        task = asyncio.create_task(send(client))
        await asyncio.to_thread(model.ledger.wait, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(use)
    assert error_types(emission) == ["asyncio.exceptions.CancelledError"]


@pytest.mark.usefixtures("instrumented")
def test_a_wrong_argument_raises_as_before_and_is_no_call(
    client: anthropic.Anthropic, emission: Emission
) -> None:
    create: Any = client.messages.create
    with pytest.raises(TypeError):
        create(no_such_argument=True)
    assert emission.spans == ()
