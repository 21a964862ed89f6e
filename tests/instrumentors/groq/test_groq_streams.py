"""Streams that end early or fail, and that the caller's stream is the SDK's own."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from typing import Any

import groq
import pytest
from groq_calls import chat
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors.hosting import drain_streams
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, ErrorEvent, Hold, Response, ScriptedModel

SECRET = "planted-secret"


def send(client: Any, **arguments: Any) -> Any:
    return chat(client, stream=True, **arguments)


def ending(emission: Emission) -> tuple[StatusCode, dict[str, Any]]:
    assert drain_streams(5)
    attributes = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


ABANDONED = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


def failed(kind: str) -> tuple[StatusCode, dict[str, Any]]:
    return StatusCode.ERROR, {"error.type": kind}


@pytest.mark.usefixtures("instrumented")
def test_the_stream_is_what_the_sdk_returns(client: groq.Groq, run: Any) -> None:
    with send(client) as stream:
        assert isinstance(stream, groq.Stream)
        assert stream.response.status_code == 200

    async def use(client: groq.AsyncGroq) -> None:
        stream: Any = await send(client)
        assert isinstance(stream, groq.AsyncStream)
        async with stream:
            pass

    run(use)


@pytest.mark.parametrize("leave", ["close", "with", "break", "drop", "response"])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_left_early_is_abandoned(
    leave: str, client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))
    stream = send(client)
    next(stream)
    response = stream.response
    if leave == "close":
        stream.close()
    elif leave == "with":
        with stream:
            pass
    elif leave == "break":
        for _ in stream:
            break
    elif leave == "response":
        response.close()
    del stream
    gate.set()
    assert ending(emission) == ABANDONED
    response.close()


@pytest.mark.usefixtures("instrumented")
def test_an_async_stream_left_early_is_abandoned(run: Any, emission: Emission) -> None:
    async def use(client: groq.AsyncGroq) -> None:
        async with await send(client) as stream:
            await anext(stream)

    run(use)
    assert ending(emission) == ABANDONED


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_breaks_is_an_error(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=Abort(2)))
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the SDK
        list(send(client))
    kind = type(raised.value)
    assert ending(emission) == failed(f"{kind.__module__}.{kind.__qualname__}")


def plain(client: groq.Groq, run: Any) -> None:
    list(send(client))


def plain_async(client: groq.Groq, run: Any) -> None:
    async def use(client: groq.AsyncGroq) -> None:
        async for _ in await send(client):
            pass

    run(use)


def raw(client: groq.Groq, run: Any) -> None:
    response: Any = client.chat.completions.with_raw_response.create(
        model="m", messages=[{"role": "user", "content": "hi"}], stream=True
    )
    list(response.parse())


def lines(client: groq.Groq, run: Any) -> None:
    with client.chat.completions.with_streaming_response.create(
        model="m", messages=[{"role": "user", "content": "hi"}], stream=True
    ) as response:
        list(response.iter_lines())


ways = pytest.mark.parametrize("way", [plain, plain_async, raw, lines])


@ways
@pytest.mark.usefixtures("instrumented")
def test_an_error_event_is_the_same_error_however_it_is_read(
    way: Callable[..., None],
    client: groq.Groq,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(Response("one two three", fault=ErrorEvent(2, message=SECRET)))
    if way is lines:
        way(client, run)
    else:
        with pytest.raises(groq.APIError, match=SECRET):
            way(client, run)
    assert ending(emission) == failed("groq.APIError")
    assert SECRET not in emission.texts()


@ways
@pytest.mark.parametrize(
    ("reason", "kind"), [("over_capacity", "over_capacity"), (f"No, {SECRET}", "_OTHER")]
)
@pytest.mark.usefixtures("instrumented")
def test_an_error_in_the_last_chunk_is_an_error(
    reason: str,
    kind: str,
    way: Callable[..., None],
    client: groq.Groq,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """The SDK raises nothing. Its text is content, unless it is a code."""
    model.script(Response("one", finish_reason="error", extra={"x_groq": {"error": reason}}))
    way(client, run)
    status, recorded = ending(emission)
    assert (status, recorded["error.type"]) == (StatusCode.ERROR, kind)
    assert (emission.span.attributes or {})["gen_ai.usage.input_tokens"] == (
        model.ledger.input_tokens
    )
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(run: Any, model: ScriptedModel, emission: Emission) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))

    async def use(client: groq.AsyncGroq) -> None:
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
    assert ending(emission) == failed("asyncio.exceptions.CancelledError")


@pytest.mark.usefixtures("instrumented")
def test_the_span_is_not_current_between_chunks(client: groq.Groq) -> None:
    current = {trace.get_current_span().get_span_context().span_id for _ in send(client)}
    assert current == {0}
