"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

import asyncio
import inspect
from functools import partial
from typing import Any

import pytest
from google import genai
from google_calls import MODEL, PROMPT, VERSION
from stream_laws import (
    ABANDONED,
    TEXT,
    check_broken,
    check_cancelled_stream,
    check_interrupted,
    check_left_at_its_end,
    check_left_early,
    check_not_current,
    ending,
    failed,
    hold,
)

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, ErrorEvent, Response, ScriptedModel


def send(client: Any) -> Any:
    return client.models.generate_content_stream(model=MODEL, contents=PROMPT)


@pytest.mark.usefixtures("instrumented")
def test_the_stream_is_what_the_sdk_returns(client: genai.Client, run: Any) -> None:
    stream = send(client)
    assert inspect.isgenerator(stream)
    stream.close()

    async def use(client: Any) -> None:
        stream = await send(client)
        assert inspect.isasyncgen(stream)
        await stream.aclose()

    run(use)


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_nobody_reads_sends_nothing(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    send(client)
    assert finalization.drain(5)
    assert (model.ledger.requests, emission.spans) == (0, ())


@pytest.mark.parametrize("leave", ["close", "break", "drop"])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_left_early_is_abandoned(
    leave: str, client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    check_left_early(partial(send, client), leave, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_left_early_is_abandoned(
    run: Any, model: ScriptedModel, emission: Emission
) -> None:
    gate = hold(model)

    async def use(client: Any) -> None:
        stream = await send(client)
        await anext(stream)
        gate.set()
        await stream.aclose()
        for _ in range(10):  # older versions leave the request's own generator to the loop
            await asyncio.sleep(0)

    run(use)
    assert ending(emission) == ABANDONED


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_is_left_after_its_last_chunk_is_whole(
    client: genai.Client, emission: Emission
) -> None:
    def is_last(chunk: Any) -> object:
        return chunk.candidates[0].finish_reason

    check_left_at_its_end(send(client), is_last, emission, "stop")


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_breaks_is_an_error(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, fault=Abort(2)))
    check_broken(partial(send, client), emission)


@pytest.mark.usefixtures("with_content")
def test_a_stream_that_a_signal_interrupts_keeps_its_output(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    def text(chunk: Any) -> str:
        return chunk.text or ""

    check_interrupted(partial(send, client), text, model, emission)


@pytest.mark.skipif(VERSION < (1, 22), reason="the SDK ignores the event, and the stream ends")
@pytest.mark.usefixtures("instrumented")
def test_an_error_event_has_the_providers_code(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, fault=ErrorEvent(2, "UNAVAILABLE")))
    with pytest.raises(genai.errors.APIError, match="UNAVAILABLE"):
        list(send(client))
    assert ending(emission) == failed("UNAVAILABLE")


@pytest.mark.skipif(VERSION < (1, 3), reason="the SDK's reads block the event loop")
@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(run: Any, model: ScriptedModel, emission: Emission) -> None:
    check_cancelled_stream(run, send, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_the_span_is_not_current_between_chunks(client: genai.Client) -> None:
    check_not_current(send(client))
