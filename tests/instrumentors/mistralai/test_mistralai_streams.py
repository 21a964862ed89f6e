"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

import types
from functools import partial
from typing import Any

import pytest
from mistral_calls import MESSAGES, VERSION
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

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    MalformedEvent,
    Response,
    ScriptedModel,
)


def send(client: Any) -> Any:
    return client.chat.stream(model="m", messages=MESSAGES)


def send_async(client: Any) -> Any:
    return client.chat.stream_async(model="m", messages=MESSAGES)


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
        stream = await send_async(client)
        assert stream.__class__.__name__ == "EventStreamAsync"
        async with stream:
            pass

    run(use)


@pytest.mark.parametrize("leave", ["close", "with", "break", "drop"])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_left_early_is_abandoned(
    leave: str, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    check_left_early(partial(send, client), leave, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_left_early_is_abandoned(
    run: Any, model: ScriptedModel, emission: Emission
) -> None:
    gate = hold(model)

    async def use(client: Any) -> None:
        stream = await send_async(client)
        async for _ in stream:
            break
        close = getattr(stream, "aclose", None) or stream.close
        await close()
        gate.set()

    run(use)
    assert ending(emission) == ABANDONED


@pytest.mark.usefixtures("instrumented")
def test_a_stream_closed_after_its_last_chunk_is_complete(client: Any, emission: Emission) -> None:
    def is_last(event: Any) -> bool:
        return event.data.usage is not None

    check_left_at_its_end(send(client), is_last, emission, "stop")


@pytest.mark.parametrize("fault", [Abort(2), MalformedEvent(2)])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_breaks_is_an_error(
    fault: Abort | MalformedEvent, client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, fault=fault))
    check_broken(partial(send, client), emission)


@pytest.mark.usefixtures("with_content")
def test_a_stream_that_a_signal_interrupts_keeps_its_output(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    def text(event: Any) -> str:
        return event.data.choices[0].delta.content or ""

    check_interrupted(partial(send, client), text, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(run: Any, model: ScriptedModel, emission: Emission) -> None:
    check_cancelled_stream(run, send_async, model, emission)


@pytest.mark.usefixtures("instrumented")
def test_the_span_is_not_current_between_chunks(client: Any) -> None:
    check_not_current(send(client))


if VERSION >= (3, 0):

    def test_a_conversation_that_fails_in_its_stream_is_an_error(
        client: Any, model: ScriptedModel, emission: Emission, instrument: Any
    ) -> None:
        instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
        model.script(Response("one two three", fault=ErrorEvent(3)))
        list(client.beta.conversations.start_stream(model="m", inputs="Hi"))
        assert ending(emission) == failed("3000")
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
