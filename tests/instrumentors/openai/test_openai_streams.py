"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import threading
import time
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai_calls import MESSAGES, VERSION
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, ErrorEvent, Hold, Response, ScriptedModel


def send(client: Any, **arguments: Any) -> Any:
    return client.chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, stream=True, **arguments
    )


def ending(emission: Emission) -> tuple[StatusCode, dict[str, Any]]:
    assert finalization.drain(5)
    attributes = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


ABANDONED = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


@pytest.mark.usefixtures("instrumented")
def test_the_stream_is_what_the_sdk_returns(client: openai.OpenAI, run: Any) -> None:
    with send(client) as stream:
        assert isinstance(stream, openai.Stream)
        assert stream.response.status_code == 200

    async def use(client: openai.AsyncOpenAI) -> None:
        stream: Any = await send(client)
        assert isinstance(stream, openai.AsyncStream)
        async with stream:
            pass

    run(use)


@pytest.mark.parametrize("leave", ["close", "with", "break", "drop"])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_left_early_is_abandoned(
    leave: str, client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))
    stream = send(client)
    next(stream)
    if leave == "close":
        stream.close()
    elif leave == "with":
        with stream:
            pass
    elif leave == "break":
        for _ in stream:
            break
    response = stream.response
    del stream
    gate.set()
    assert ending(emission) == ABANDONED
    response.close()


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
def test_a_stream_that_breaks_is_an_error(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=Abort(2)))
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the SDK
        list(send(client))
    kind = type(raised.value)
    assert ending(emission) == (
        StatusCode.ERROR,
        {"error.type": f"{kind.__module__}.{kind.__qualname__}"},
    )


def test_a_stream_that_a_signal_interrupts_keeps_its_output(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission, instrument: Any
) -> None:
    """The stream goes on for its reader, and its span does not end twice."""
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))
    stream = send(client)
    chunks = [next(stream), next(stream)]
    (operation,) = in_progress.operations()
    in_progress.interrupt(operation)
    assert ending(emission) == (StatusCode.ERROR, {"error.type": "interrupted"})
    recorded = str((emission.span.attributes or {})["gen_ai.output.messages"])
    assert ("one" in recorded, '"finish_reason":"error"' in recorded) == (True, True)
    gate.set()
    chunks += stream
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == "one two three"
    assert len(emission.spans) == 1


@pytest.mark.usefixtures("instrumented")
def test_an_error_event_is_an_error(
    client: openai.OpenAI, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=ErrorEvent(2)))
    with pytest.raises(openai.APIError):
        list(send(client))
    assert ending(emission) == (StatusCode.ERROR, {"error.type": "openai.APIError"})


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(run: Any, model: ScriptedModel, emission: Emission) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))

    async def use(client: openai.AsyncOpenAI) -> None:
        stream: Any = await send(client)
        started = asyncio.Event()

        async def consume() -> None:
            async for _ in stream:
                started.set()

        task = asyncio.create_task(consume())
        await started.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        gate.set()
        await stream.close()

    run(use)
    assert ending(emission) == (
        StatusCode.ERROR,
        {"error.type": "asyncio.exceptions.CancelledError"},
    )


@pytest.mark.usefixtures("instrumented")
def test_the_span_is_not_current_between_chunks(client: openai.OpenAI, emission: Emission) -> None:
    current = {trace.get_current_span().get_span_context().span_id for _ in send(client)}
    assert current == {0}


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
