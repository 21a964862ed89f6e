"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

import asyncio
import threading
import types
from typing import Any

import pytest
from mistral_calls import MESSAGES, VERSION
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    Hold,
    MalformedEvent,
    Response,
    ScriptedModel,
)


def send(client: Any) -> Any:
    return client.chat.stream(model="m", messages=MESSAGES)


def ending(emission: Emission) -> tuple[StatusCode, dict[str, Any]]:
    assert finalization.drain(5)
    attributes = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


ABANDONED = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


@pytest.mark.usefixtures("instrumented")
def test_the_stream_is_what_the_sdk_returns(client: Any, run: Any) -> None:
    stream = send(client)
    if VERSION < (1, 5):
        assert isinstance(stream, types.GeneratorType)
        return
    assert stream.__class__.__name__ == "EventStream"
    with stream:
        assert stream.response.status_code == 200

    async def use(client: Any) -> None:
        stream = await client.chat.stream_async(model="m", messages=MESSAGES)
        assert stream.__class__.__name__ == "EventStreamAsync"
        async with stream:
            pass

    run(use)


@pytest.mark.parametrize("leave", ["close", "with", "break", "drop"])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_left_early_is_abandoned(
    leave: str, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))
    stream = send(client)
    next(stream)
    if leave == "close" and hasattr(stream, "close"):
        stream.close()
    elif leave == "with" and hasattr(stream, "__enter__"):
        with stream:
            pass
    elif leave == "break":
        for _ in stream:
            break
    response = getattr(stream, "response", None)
    del stream
    gate.set()
    assert ending(emission) == ABANDONED
    if response is not None:
        response.close()


@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_left_early_is_abandoned(
    run: Any, model: ScriptedModel, emission: Emission
) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))

    async def use(client: Any) -> None:
        stream = await client.chat.stream_async(model="m", messages=MESSAGES)
        async for _ in stream:
            break
        close = getattr(stream, "aclose", None) or stream.close
        await close()
        gate.set()

    run(use)
    assert ending(emission) == ABANDONED


@pytest.mark.usefixtures("instrumented")
def test_a_stream_closed_after_its_last_chunk_is_complete(client: Any, emission: Emission) -> None:
    stream = send(client)
    for event in stream:
        if event.data.usage is not None:
            break
    stream.close()
    assert ending(emission) == (
        StatusCode.UNSET,
        {"gen_ai.response.finish_reasons": ("stop",)},
    )


@pytest.mark.parametrize("fault", [Abort(2), MalformedEvent(2)])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_breaks_is_an_error(
    fault: Abort | MalformedEvent, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=fault))
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the version
        list(send(client))
    kind = type(raised.value)
    assert ending(emission) == (
        StatusCode.ERROR,
        {"error.type": f"{kind.__module__}.{kind.__qualname__}"},
    )


def test_a_stream_that_a_signal_interrupts_keeps_its_output(
    client: Any, model: ScriptedModel, emission: Emission, instrument: Any
) -> None:
    """The stream goes on for its reader, and its span does not end twice."""
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))
    stream = send(client)
    events = [next(stream), next(stream)]
    (operation,) = in_progress.operations()
    in_progress.interrupt(operation)
    assert ending(emission) == (StatusCode.ERROR, {"error.type": "interrupted"})
    recorded = str((emission.span.attributes or {})["gen_ai.output.messages"])
    assert ("one" in recorded, '"finish_reason":"error"' in recorded) == (True, True)
    gate.set()
    events += stream
    assert "".join(event.data.choices[0].delta.content for event in events) == "one two three"
    assert len(emission.spans) == 1


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(run: Any, model: ScriptedModel, emission: Emission) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))

    async def use(client: Any) -> None:
        stream = await client.chat.stream_async(model="m", messages=MESSAGES)
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
def test_the_span_is_not_current_between_chunks(client: Any) -> None:
    current = {trace.get_current_span().get_span_context().span_id for _ in send(client)}
    assert current == {0}


if VERSION >= (3, 0):

    def test_a_conversation_that_fails_in_its_stream_is_an_error(
        client: Any, model: ScriptedModel, emission: Emission, instrument: Any
    ) -> None:
        instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
        model.script(Response("one two three", fault=ErrorEvent(3)))
        list(client.beta.conversations.start_stream(model="m", inputs="Hi"))
        assert ending(emission) == (StatusCode.ERROR, {"error.type": "3000"})
        assert "one two" in emission.texts()

    def test_a_broken_conversation_keeps_its_output(
        client: Any, model: ScriptedModel, emission: Emission, instrument: Any
    ) -> None:
        instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
        model.script(Response("one two three", fault=Abort(3)))
        with pytest.raises(Exception):  # noqa: B017, PT011  of httpx2
            list(client.beta.conversations.start_stream(model="m", inputs="Hi"))
        attributes = dict(emission.span.attributes or {})
        assert str(attributes["gen_ai.conversation.id"]).startswith("conv_")
        recorded = str(attributes["gen_ai.output.messages"])
        assert ("one two" in recorded, '"finish_reason":"error"' in recorded) == (True, True)
