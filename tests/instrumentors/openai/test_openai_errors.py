"""Requests that fail: the same exception for the caller, one span, a type and no text."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from functools import partial
from typing import Any

import openai
import pytest
from openai_calls import MESSAGES, VERSION
from opentelemetry.trace import StatusCode

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, nothing_listening

SECRET = "planted-secret"
NO_WAIT = {"retry-after-ms": "1", "retry-after": "0"}


def send(client: Any, **arguments: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, **arguments)


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
    client: openai.OpenAI,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Failure(status, message=SECRET), Failure(status, message=SECRET))
    with pytest.raises(getattr(openai, name), match=SECRET):
        send(client)
    with pytest.raises(getattr(openai, name), match=SECRET):
        run(send)
    assert error_types(emission) == [f"openai.{name}"] * 2
    for span in emission.spans:
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert [name for name, _ in emission.events] == ["gen_ai.client.operation.exception"] * 2
    durations = emission.points()["gen_ai.client.operation.duration"]
    assert [attributes["error.type"] for attributes, _ in durations] == [f"openai.{name}"]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_retries_of_the_sdk_are_inside_one_span(model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(500, headers=NO_WAIT), Failure(429, headers=NO_WAIT), "Hi")
    with openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=2) as client:
        send(client)
    assert model.ledger.requests == 3
    assert error_types(emission) == ["None"]
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == (
        model.ledger.input_tokens
    )


@pytest.mark.usefixtures("instrumented")
def test_a_refused_connection(emission: Emission) -> None:
    with (
        nothing_listening() as url,
        openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client,
        pytest.raises(openai.APIConnectionError),
    ):
        send(client)
    assert error_types(emission) == ["openai.APIConnectionError"]


@pytest.mark.usefixtures("instrumented")
def test_a_timeout(client: openai.OpenAI, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))
    with pytest.raises(openai.APITimeoutError):
        send(client, timeout=0.05)
    assert error_types(emission) == ["openai.APITimeoutError"]


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_call(run: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Response("late", gate=threading.Event()))

    async def use(client: openai.AsyncOpenAI) -> None:
        task = asyncio.create_task(send(client))
        await asyncio.to_thread(model.ledger.wait, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    run(use)
    assert error_types(emission) == ["asyncio.exceptions.CancelledError"]


@pytest.mark.usefixtures("instrumented")
def test_a_wrong_argument_raises_as_before_and_is_no_call(
    client: openai.OpenAI, emission: Emission
) -> None:
    with pytest.raises(TypeError):
        client.chat.completions.create(no_such_argument=True)  # type: ignore[call-overload]  # pyright: ignore[reportCallIssue]  the point
    assert emission.spans == ()


@pytest.mark.parametrize(
    "api", ["chat", "completions", "embeddings"] + ["responses"] * (VERSION >= (1, 66))
)
@pytest.mark.usefixtures("instrumented")
def test_every_api_reports_its_errors(
    api: str, client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "chat": lambda: send(client),
        "completions": lambda: client.completions.create(model="m", prompt="p"),
        "embeddings": lambda: client.embeddings.create(model="m", input="p"),
        "responses": lambda: client.responses.create(model="m", input="p"),
    }
    model.script(Failure(500, message=SECRET))
    with pytest.raises(openai.InternalServerError):
        calls[api]()
    assert error_types(emission) == ["openai.InternalServerError"]
    assert SECRET not in emission.texts()


if VERSION >= (1, 92):
    from pydantic import BaseModel

    class City(BaseModel):
        city: str

    def parse_chat(client: Any, **arguments: Any) -> Any:
        return client.chat.completions.parse(**arguments)

    @pytest.mark.usefixtures("instrumented")
    def test_parse_is_one_span(
        client: openai.OpenAI, run: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(*[Response('{"city": "Paris"}')] * 3)
        chat: Any = {"model": "m", "messages": MESSAGES, "response_format": City}
        parsed = client.chat.completions.parse(**chat).choices[0].message.parsed
        assert parsed == City(city="Paris")
        run(partial(parse_chat, **chat))
        client.responses.parse(model="m", input="Hi", text_format=City)
        assert emission.names == ["chat m"] * 3
        requested = [(span.attributes or {})["gen_ai.output.type"] for span in emission.spans]
        assert requested == ["json"] * 3

    @pytest.mark.usefixtures("instrumented")
    def test_a_response_that_cannot_be_parsed_has_its_tokens(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response('{"city": "Pa', finish_reason="length"))
        with pytest.raises(openai.LengthFinishReasonError):
            client.chat.completions.parse(model="m", messages=MESSAGES, response_format=City)
        attributes = dict(emission.span.attributes or {})
        assert attributes["error.type"] == "openai.LengthFinishReasonError"
        assert attributes["gen_ai.response.finish_reasons"] == ("length",)
        assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
