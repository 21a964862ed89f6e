"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

import asyncio
import inspect
import threading
from typing import Any

import pytest
from google import genai
from google_calls import MODEL, PROMPT, VERSION
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, ErrorEvent, Hold, Response, ScriptedModel


def send(client: Any) -> Any:
    return client.models.generate_content_stream(model=MODEL, contents=PROMPT)


def ending(emission: Emission) -> tuple[StatusCode, dict[str, Any]]:
    assert finalization.drain(5)
    attributes = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


ABANDONED = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


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
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))
    stream = send(client)
    next(stream)
    if leave == "close":
        stream.close()
    elif leave == "break":
        for _ in stream:
            break
    del stream
    gate.set()
    assert ending(emission) == ABANDONED


@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_left_early_is_abandoned(
    run: Any, model: ScriptedModel, emission: Emission
) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))

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
    stream = send(client)
    for chunk in stream:
        if chunk.candidates[0].finish_reason:
            break
    stream.close()
    assert ending(emission) == (StatusCode.UNSET, {"gen_ai.response.finish_reasons": ("stop",)})


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_breaks_is_an_error(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=Abort(2)))
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the SDK's transport
        list(send(client))
    kind = type(raised.value)
    name = f"{kind.__module__}.{kind.__qualname__}"
    assert ending(emission) == (StatusCode.ERROR, {"error.type": name})


def test_a_stream_that_a_signal_interrupts_keeps_its_output(
    client: genai.Client, model: ScriptedModel, emission: Emission, instrument: Any
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
    assert "".join(chunk.text for chunk in chunks) == "one two three"
    assert len(emission.spans) == 1


@pytest.mark.skipif(VERSION < (1, 22), reason="the SDK ignores the event, and the stream ends")
@pytest.mark.usefixtures("instrumented")
def test_an_error_event_has_the_providers_code(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=ErrorEvent(2, "UNAVAILABLE")))
    with pytest.raises(genai.errors.APIError, match="UNAVAILABLE"):
        list(send(client))
    assert ending(emission) == (StatusCode.ERROR, {"error.type": "UNAVAILABLE"})


@pytest.mark.skipif(VERSION < (1, 3), reason="the SDK's reads block the event loop")
@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(run: Any, model: ScriptedModel, emission: Emission) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))

    async def use(client: Any) -> None:
        stream = await send(client)
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

    run(use)
    assert ending(emission) == (
        StatusCode.ERROR,
        {"error.type": "asyncio.exceptions.CancelledError"},
    )


@pytest.mark.usefixtures("instrumented")
def test_the_span_is_not_current_between_chunks(client: genai.Client, emission: Emission) -> None:
    current = {trace.get_current_span().get_span_context().span_id for _ in send(client)}
    assert current == {0}
