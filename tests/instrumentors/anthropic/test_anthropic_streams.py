"""Streams: the SDK's own type, one span each, ended once, however the stream is left."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES
from opentelemetry import trace
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    Hold,
    Response,
    ScriptedModel,
    Usage,
)

USAGE = Usage(100, 20, cached_tokens=30)
REQUEST: dict[str, Any] = {"model": "claude-4", "max_tokens": 9, "messages": MESSAGES}


def send(client: Any) -> Any:
    return client.messages.create(**REQUEST, stream=True)


def ending(emission: Emission) -> tuple[StatusCode, dict[str, Any]]:
    assert finalization.drain(5)
    attributes = dict(emission.span.attributes or {})
    recorded = ("error.type", "otel_agents.stream.abandoned", "gen_ai.response.finish_reasons")
    return emission.span.status.status_code, {k: attributes[k] for k in recorded if k in attributes}


ABANDONED = (StatusCode.UNSET, {"otel_agents.stream.abandoned": True})


@pytest.mark.usefixtures("instrumented")
def test_the_stream_is_what_the_sdk_returns(client: anthropic.Anthropic, run: Any) -> None:
    with send(client) as stream:
        assert stream.__class__ is anthropic.Stream  # 0.30 has an `isinstance` of its own
        assert stream.response.status_code == 200

    async def use(client: anthropic.AsyncAnthropic) -> None:
        stream: Any = await send(client)
        assert stream.__class__ is anthropic.AsyncStream
        async with stream:
            pass

    run(use)


@pytest.mark.parametrize("leave", ["close", "with", "break", "drop"])
@pytest.mark.usefixtures("instrumented")
def test_a_stream_left_early_is_abandoned(
    leave: str, client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    gate = threading.Event()
    model.script(Response("one two three", usage=USAGE, hold=Hold(3, gate)))
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
    assert ending(emission) == ABANDONED
    response.close()
    gate.set()
    model.ledger.wait(1, ended=True)
    attributes = dict(emission.span.attributes or {})
    usage = {name: attributes[name] for name in attributes if name.startswith("gen_ai.usage.")}
    assert usage == {
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "gen_ai.usage.cache_read.input_tokens": 30,
    }
    assert model.ledger.input_tokens == 100


@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_is_closed_after_its_last_event_is_complete(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    stream = send(client)
    for event in stream:
        if event.type == "message_stop":
            break
    stream.close()
    reasons = {"gen_ai.response.finish_reasons": ("end_turn",)}
    assert ending(emission) == (StatusCode.UNSET, reasons)
    tokens = (emission.span.attributes or {})["gen_ai.usage.output_tokens"]
    assert tokens == model.ledger.output_tokens


@pytest.mark.usefixtures("instrumented")
def test_a_helper_that_is_left_is_abandoned(
    client: anthropic.Anthropic, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    with client.messages.stream(**REQUEST) as events:
        next(events)
    left = time.time_ns()
    assert ending(emission) == ABANDONED
    assert (emission.span.end_time or 0) <= left
    assert events is not None

    async def use(client: anthropic.AsyncAnthropic) -> None:
        async with client.messages.stream(**REQUEST) as events:
            await anext(events)

    run(use)
    assert finalization.drain(5)
    recorded = [dict(span.attributes or {}) for span in emission.spans]
    assert [one["otel_agents.stream.abandoned"] for one in recorded] == [True, True]


@pytest.mark.usefixtures("instrumented")
def test_a_helper_that_is_never_entered_sends_nothing(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    client.messages.stream(**REQUEST)
    assert finalization.drain(5)
    assert (emission.spans, model.ledger.requests) == ((), 0)


@pytest.mark.usefixtures("with_content")
def test_a_stream_that_breaks_is_an_error(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", usage=USAGE, fault=Abort(5)))
    with pytest.raises(Exception) as raised:  # noqa: PT011  which one depends on the SDK
        list(send(client))
    kind = type(raised.value)
    error = {"error.type": f"{kind.__module__}.{kind.__qualname__}"}
    assert ending(emission) == (StatusCode.ERROR, error)
    attributes = dict(emission.span.attributes or {})
    (output,) = json.loads(str(attributes["gen_ai.output.messages"]))
    assert output["finish_reason"] == "error"
    assert output["parts"][0]["content"].startswith("one")
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens == 100
    assert "gen_ai.usage.output_tokens" not in attributes


@pytest.mark.usefixtures("instrumented")
def test_an_error_event_is_an_error(
    client: anthropic.Anthropic, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    fault = ErrorEvent(4, "overloaded_error")
    model.script(*[Response("one two three", fault=fault)] * 2)
    with pytest.raises(anthropic.APIStatusError) as raised:
        list(send(client))

    async def use(client: anthropic.AsyncAnthropic) -> None:
        async for _ in await send(client):
            pass

    with pytest.raises(anthropic.APIStatusError):
        run(use)
    kind = type(raised.value)
    types = [(span.attributes or {}).get("error.type") for span in emission.spans]
    assert types == [f"{kind.__module__}.{kind.__qualname__}"] * 2


@pytest.mark.usefixtures("instrumented")
def test_an_error_event_in_raw_lines_has_the_providers_code(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one two three", fault=ErrorEvent(4, "overloaded_error")))
    create = client.messages.with_streaming_response.create
    with create(**REQUEST, stream=True) as response:
        list(response.iter_lines())
    assert ending(emission) == (StatusCode.ERROR, {"error.type": "overloaded_error"})


@pytest.mark.usefixtures("instrumented")
def test_a_cancelled_stream_is_an_error(run: Any, model: ScriptedModel, emission: Emission) -> None:
    gate = threading.Event()
    model.script(Response("one two three", hold=Hold(2, gate)))

    async def use(client: anthropic.AsyncAnthropic) -> None:
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
    error = {"error.type": "asyncio.exceptions.CancelledError"}
    assert ending(emission) == (StatusCode.ERROR, error)


@pytest.mark.usefixtures("instrumented")
def test_the_span_is_not_current_between_events(client: anthropic.Anthropic) -> None:
    current = {trace.get_current_span().get_span_context().span_id for _ in send(client)}
    assert current == {0}
