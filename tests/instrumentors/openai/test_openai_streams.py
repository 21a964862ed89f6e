"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

import inspect
import pickle
import time
from collections.abc import Callable
from typing import Any

import openai
import openai_calls
import pytest
from openai_calls import MESSAGES, VERSION
from opentelemetry.trace import StatusCode
from stream_laws import ABANDONED, TEXT, StreamLaws, ending, failed

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ErrorEvent, Response, ScriptedModel


class TestStreams(StreamLaws):
    """The laws for chat."""


def send(client: Any, **arguments: Any) -> Any:
    return openai_calls.send(client, stream=True, **arguments)


def ended_at_once(emission: Emission, closed: int) -> bool:
    """Return whether the one span is abandoned while its stream, closed by ``closed``, is still held."""
    assert ending(emission) == ABANDONED
    return (emission.span.end_time or 0) <= closed


@pytest.mark.usefixtures("instrumented")
def test_a_stream_whose_response_is_closed_is_abandoned(
    client: openai.OpenAI, emission: Emission
) -> None:
    stream = send(client)
    next(stream)
    stream.response.close()
    assert ended_at_once(emission, time.time_ns())
    stream.response.close()


@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_whose_response_is_closed_is_abandoned(
    run: Any, emission: Emission
) -> None:
    async def use(client: openai.AsyncOpenAI) -> None:
        stream: Any = await send(client)
        await anext(stream)
        assert inspect.iscoroutinefunction(stream.response.aclose)
        await stream.response.aclose()
        assert ended_at_once(emission, time.time_ns())

    run(use)


@pytest.mark.usefixtures("instrumented")
def test_the_response_of_a_stream_that_is_read_stays_what_it_is(client: openai.OpenAI) -> None:
    stream = send(client)
    copied: Any = pickle.loads(pickle.dumps(stream.response))  # while its end is awaited
    list(stream)
    assert (stream.response.is_closed, copied.status_code) == (True, 200)
    assert {*vars(copied)} & {"close", "aclose", "__getstate__"} == set()


@pytest.mark.usefixtures("instrumented")
def test_an_error_event_is_an_error(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, fault=ErrorEvent(2)))
    with pytest.raises(openai.APIError):
        list(send(client))
    assert ending(emission) == failed("openai.APIError")


@pytest.mark.usefixtures("instrumented")
def test_without_include_usage_no_tokens_are_recorded(
    client: openai.OpenAI, emission: Emission
) -> None:
    list(send(client))
    assert not [name for name in emission.span.attributes or {} if "usage" in name]
    assert "gen_ai.client.token.usage" not in emission.points()


if VERSION >= (1, 66):

    @pytest.mark.usefixtures("instrumented")
    def test_a_response_that_fails_in_its_stream_is_an_error(
        client: openai.OpenAI, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response("Hi", finish_reason="error"))
        list(client.responses.create(model="gpt-4o-mini", input="Hi", stream=True))
        status, recorded = ending(emission)
        assert status is StatusCode.ERROR
        assert recorded["gen_ai.response.finish_reasons"] == ("error",)


if VERSION >= (1, 92):

    @pytest.mark.usefixtures("instrumented")
    def test_the_stream_helpers_are_one_span_each(
        client: openai.OpenAI, run: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        with client.chat.completions.stream(model="gpt-4o-mini", messages=MESSAGES) as events:
            list(events)
        with client.responses.stream(model="gpt-4o-mini", input="Hi") as events:
            list(events)

        async def use(client: openai.AsyncOpenAI) -> None:
            async with client.chat.completions.stream(
                model="gpt-4o-mini", messages=MESSAGES
            ) as events:
                async for _ in events:
                    pass

        run(use)
        assert emission.names == ["chat gpt-4o-mini"] * model.ledger.requests
        assert model.ledger.requests == 3
        assert all("error.type" not in (span.attributes or {}) for span in emission.spans)

    def helpers(client: Any) -> dict[str, Callable[[], Any]]:
        chat, responses = client.chat.completions, client.responses
        return {
            "chat": lambda: chat.stream(model="gpt-4o-mini", messages=MESSAGES),
            "responses": lambda: responses.stream(model="gpt-4o-mini", input="Hi"),
        }

    @pytest.mark.parametrize("api", ["chat", "responses"])
    @pytest.mark.usefixtures("instrumented")
    def test_a_stream_helper_that_is_left_is_abandoned(
        api: str, client: openai.OpenAI, emission: Emission
    ) -> None:
        with helpers(client)[api]() as events:
            next(events)
        assert ended_at_once(emission, time.time_ns())
        assert events is not None

    @pytest.mark.parametrize("api", ["chat", "responses"])
    @pytest.mark.usefixtures("instrumented")
    def test_an_async_stream_helper_that_is_left_is_abandoned(
        api: str, run: Any, emission: Emission
    ) -> None:
        async def use(client: openai.AsyncOpenAI) -> None:
            async with helpers(client)[api]() as events:
                await anext(events)
            assert ended_at_once(emission, time.time_ns())
            assert events is not None

        run(use)
