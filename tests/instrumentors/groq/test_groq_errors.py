"""Requests that fail: the same exception for the caller, one span, a type and no text."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import groq
import pytest
from groq_calls import chat
from opentelemetry.trace import StatusCode

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, nothing_listening

SECRET = "planted-secret"
NO_WAIT = {"retry-after-ms": "1", "retry-after": "0"}


def error_types(emission: Emission) -> list[str]:
    return [str((span.attributes or {}).get("error.type")) for span in emission.spans]


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
    client: groq.Groq,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Failure(status, message=SECRET), Failure(status, message=SECRET))
    with pytest.raises(getattr(groq, name), match=SECRET):
        chat(client)
    with pytest.raises(getattr(groq, name), match=SECRET):
        run(chat)
    assert error_types(emission) == [f"groq.{name}"] * 2
    for span in emission.spans:
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert [name for name, _ in emission.events] == ["gen_ai.client.operation.exception"] * 2
    durations = emission.points()["gen_ai.client.operation.duration"]
    assert [attributes["error.type"] for attributes, _ in durations] == [f"groq.{name}"]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_inside_one_span(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500, headers=NO_WAIT), Failure(429, headers=NO_WAIT), "Hi")
    with groq.Groq(base_url=model.groq_url, api_key="none", max_retries=2) as client:
        chat(client)
    assert model.ledger.requests == 3
    assert error_types(emission) == ["None"]
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == (
        model.ledger.input_tokens
    )


@pytest.mark.usefixtures("instrumented")
def test_a_refused_connection(emission: Emission) -> None:
    with (
        nothing_listening() as url,
        groq.Groq(base_url=url, api_key="none", max_retries=0) as client,
        pytest.raises(groq.APIConnectionError),
    ):
        chat(client)
    assert error_types(emission) == ["groq.APIConnectionError"]


@pytest.mark.usefixtures("instrumented")
def test_a_timeout(client: groq.Groq, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))
    with pytest.raises(groq.APITimeoutError):
        chat(client, timeout=0.05)
    assert error_types(emission) == ["groq.APITimeoutError"]


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_call(run: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))

    async def use(client: groq.AsyncGroq) -> None:
        task = asyncio.create_task(chat(client))
        await asyncio.to_thread(model.ledger.wait, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(use)
    assert error_types(emission) == ["asyncio.exceptions.CancelledError"]


@pytest.mark.usefixtures("instrumented")
def test_embeddings_that_fail(client: groq.Groq, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500, message=SECRET))
    with pytest.raises(groq.InternalServerError):
        client.embeddings.create(model="m", input="p")
    assert error_types(emission) == ["groq.InternalServerError"]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_wrong_argument_raises_as_before_and_is_no_call(
    client: groq.Groq, emission: Emission
) -> None:
    with pytest.raises(TypeError):
        chat(client, no_such_argument=True)
    assert emission.spans == ()
