"""Usage that we request for streams: the caller sees neither its chunk nor a refusal."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai_calls import CALLS, MESSAGES, Call

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel
from otel_agents.testing.scripted_model.dialect import ModelRequest

STREAMED = [call for call in CALLS if call.name in ("chat", "completions")]
each_call = pytest.mark.parametrize("call", STREAMED, ids=lambda call: call.name)


@pytest.fixture(autouse=True)
def requesting_usage(instrument: Callable[..., None]) -> None:
    instrument(OTEL_AGENTS_STREAM_USAGE="true")


def send(client: Any, **arguments: Any) -> Any:
    return client.chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True, **arguments
    )


def test_the_setting_requests_usage_and_hides_its_chunk(
    client: openai.OpenAI,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    async def collect(client: openai.AsyncOpenAI) -> list[Any]:
        return [chunk async for chunk in await send(client)]

    for chunks in (list(send(client)), run(collect)):
        assert all(chunk.choices for chunk in chunks)
    spent = [(span.attributes or {})["gen_ai.usage.input_tokens"] for span in emission.spans]
    assert spent == [entry.input_tokens for entry in model.ledger.entries]
    assert sum(map(int, map(str, spent))) == model.ledger.input_tokens > 0


def test_a_caller_that_requests_usage_gets_its_chunk(client: openai.OpenAI) -> None:
    requested = {"stream_options": {"include_usage": True}}
    chunks = list(send(client, extra_body=requested))
    assert chunks[-1].usage is not None


# Nothing can be hidden of a raw response.


def raw(call: Call, client: openai.OpenAI) -> list[Any]:
    return list(call.of(client, "with_raw_response")(**call.arguments, stream=True).parse())


def streaming(call: Call, client: openai.OpenAI) -> list[Any]:
    requested = call.of(client, "with_streaming_response")(**call.arguments, stream=True)
    with requested as response:
        return list(response.parse())


def raw_async(call: Call, client: openai.OpenAI) -> list[Any]:
    async def main() -> list[Any]:
        async with twin_of(client) as twin:
            requested = call.of(twin, "with_raw_response")(**call.arguments, stream=True)
            return [chunk async for chunk in (await requested).parse()]

    return asyncio.run(main())


def streaming_async(call: Call, client: openai.OpenAI) -> list[Any]:
    async def main() -> list[Any]:
        async with twin_of(client) as twin:
            requested = call.of(twin, "with_streaming_response")(**call.arguments, stream=True)
            async with requested as response:
                return [chunk async for chunk in await response.parse()]

    return asyncio.run(main())


def twin_of(client: openai.OpenAI) -> openai.AsyncOpenAI:
    return openai.AsyncOpenAI(base_url=client.base_url, api_key="none", max_retries=0)


@pytest.mark.parametrize("read", [raw, streaming, raw_async, streaming_async])
@each_call
def test_a_raw_response_stays_as_it_is(
    call: Call,
    read: Callable[[Call, openai.OpenAI], list[Any]],
    client: openai.OpenAI,
    model: ScriptedModel,
) -> None:
    assert all(chunk.choices for chunk in read(call, client))
    assert [entry.body.get("stream_options") for entry in model.ledger.entries] == [None]


# Hosts that refuse the option.


def plain(call: Call, client: openai.OpenAI) -> list[Any]:
    return list(call.of(client)(**call.arguments, stream=True))


def plain_async(call: Call, client: openai.OpenAI) -> list[Any]:
    async def main() -> list[Any]:
        async with twin_of(client) as twin:
            return [chunk async for chunk in await call.of(twin)(**call.arguments, stream=True)]

    return asyncio.run(main())


def refusing(status: int, message: str) -> Callable[[ModelRequest], Response | Failure]:
    def respond(request: ModelRequest) -> Response | Failure:
        refused = "stream_options" in request.body
        return Failure(status, message=message) if refused else Response("one two")

    return respond


each_read = pytest.mark.parametrize("read", [plain, plain_async])
MESSAGE = "Unrecognized request argument supplied: stream_options"


@pytest.mark.parametrize("status", [400, 422])
@each_read
@each_call
def test_a_host_that_refuses_the_option_gets_it_once(
    call: Call,
    read: Callable[[Call, openai.OpenAI], list[Any]],
    status: int,
    client: openai.OpenAI,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script_by(refusing(status, MESSAGE))
    for _ in range(2):
        assert all(chunk.choices for chunk in read(call, client))
    requested = ["stream_options" in entry.body for entry in model.ledger.entries]
    assert requested == [True, False, False]
    assert [
        span.attributes for span in emission.spans if "error.type" in (span.attributes or {})
    ] == []
    assert len(emission.spans) == 2


@each_read
@each_call
def test_a_refusal_for_another_reason_reaches_the_caller(
    call: Call,
    read: Callable[[Call, openai.OpenAI], list[Any]],
    client: openai.OpenAI,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script_by(refusing(400, "The model is not known"))
    with pytest.raises(openai.BadRequestError, match="not known"):
        read(call, client)
    assert model.ledger.requests == len(emission.spans) == 1


def test_an_error_after_a_refusal_reaches_the_caller(
    client: openai.OpenAI, model: ScriptedModel
) -> None:
    """It does not mention the refusal, as if the setting were off."""
    model.script(Failure(400, message=MESSAGE), Failure(401, message="Who are you?"))
    with pytest.raises(openai.AuthenticationError) as raised:
        send(client)
    causes = [raised.value.__context__, raised.value.__cause__]
    assert [error for error in causes if isinstance(error, openai.BadRequestError)] == []
