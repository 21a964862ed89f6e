"""An error event in a stream is an error of the span, whether the stream is read raw or parsed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai_calls import CALLS, Call
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ErrorEvent, Response, ScriptedModel

STREAMED = [call for call in CALLS if call.streams]


def plain(call: Call, client: Any) -> None:
    list(call.of(client)(**call.stream_arguments()))


def raw(call: Call, client: Any) -> None:
    list(call.of(client, "with_raw_response")(**call.stream_arguments()).parse())


def streaming(call: Call, client: Any) -> None:
    with call.of(client, "with_streaming_response")(**call.stream_arguments()) as response:
        list(response.parse())


def lines(call: Call, client: Any) -> None:
    with call.of(client, "with_streaming_response")(**call.stream_arguments()) as response:
        list(response.iter_lines())


def plain_async(call: Call, client: Any) -> None:
    read_async(client, lambda twin: call.of(twin)(**call.stream_arguments()))


def raw_async(call: Call, client: Any) -> None:
    async def send(twin: Any) -> Any:
        return (await call.of(twin, "with_raw_response")(**call.stream_arguments())).parse()

    read_async(client, send)


def read_async(client: openai.OpenAI, send: Callable[[Any], Any]) -> None:
    async def main() -> None:
        url = client.base_url
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as twin:
            async for _ in await send(twin):
                pass

    asyncio.run(main())


WAYS = [plain, raw, streaming, lines, plain_async, raw_async]


def recorded(emission: Emission) -> dict[str, Any]:
    assert finalization.drain(5)
    (span,) = emission.spans
    names = ("error.type", "otel_agents.stream.abandoned")
    assert span.status.status_code is StatusCode.ERROR
    ((measured, _),) = emission.points()["gen_ai.client.operation.duration"]
    found = {name: (span.attributes or {}).get(name) for name in names}
    return {**found, "measured": measured.get("error.type")}


def expected(kind: str) -> dict[str, Any]:
    return {"error.type": kind, "otel_agents.stream.abandoned": None, "measured": kind}


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("call", STREAMED, ids=lambda call: call.name)
@pytest.mark.usefixtures("instrumented")
def test_an_error_event_is_the_same_error_however_it_is_read(
    call: Call,
    way: Callable[[Call, Any], None],
    client: openai.OpenAI,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response("one two three", fault=ErrorEvent(2)))
    raises = call.name != "responses" and way is not lines
    if raises:
        with pytest.raises(openai.APIError):
            way(call, client)
    else:
        way(call, client)
    kind = "server_error" if call.name == "responses" else "openai.APIError"
    assert recorded(emission) == expected(kind)


if "responses" in [call.name for call in CALLS]:

    @pytest.mark.parametrize("way", WAYS)
    @pytest.mark.usefixtures("instrumented")
    def test_a_response_that_fails_is_the_same_error_however_it_is_read(
        way: Callable[[Call, Any], None],
        client: openai.OpenAI,
        model: ScriptedModel,
        emission: Emission,
    ) -> None:
        (call,) = [call for call in CALLS if call.name == "responses"]
        model.script(Response("one two three", finish_reason="error"))
        way(call, client)
        assert recorded(emission) == expected("server_error")
