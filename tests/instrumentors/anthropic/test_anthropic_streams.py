"""Streams: the SDK's own type, one span each, ended once, however the stream is left."""

from __future__ import annotations

import json
import time
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES
from error_laws import error_types
from opentelemetry.trace import StatusCode
from stream_laws import ABANDONED, TEXT, StreamLaws, check_broken, ending, failed

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, ErrorEvent, Response, ScriptedModel, Usage

USAGE = Usage(100, 20, cached_tokens=30)
REQUEST: dict[str, Any] = {"model": "claude-4", "max_tokens": 9, "messages": MESSAGES}


class TestStreams(StreamLaws):
    """The laws; the first output is in the third event."""

    events = 3

    def text(self, event: Any) -> str:
        delta = getattr(event, "delta", None)
        return getattr(delta, "text", "")


def send(client: Any) -> Any:
    return client.messages.create(**REQUEST, stream=True)


@pytest.mark.usefixtures("instrumented")
def test_a_stream_left_early_has_the_tokens_of_its_start(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, usage=USAGE))
    with send(client) as stream:
        next(stream)
    assert ending(emission) == ABANDONED
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
def test_a_stream_that_breaks_keeps_its_output(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, usage=USAGE, fault=Abort(5)))
    check_broken(lambda: send(client), emission)
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
    model.script(*[Response(TEXT, fault=fault)] * 2)
    with pytest.raises(anthropic.APIStatusError):
        list(send(client))

    async def use(client: anthropic.AsyncAnthropic) -> None:
        async for _ in await send(client):
            pass

    with pytest.raises(anthropic.APIStatusError):
        run(use)
    assert error_types(emission) == ["overloaded_error"] * 2


@pytest.mark.usefixtures("instrumented")
def test_an_error_event_in_raw_lines_has_the_providers_code(
    client: anthropic.Anthropic, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(TEXT, fault=ErrorEvent(4, "overloaded_error")))
    create = client.messages.with_streaming_response.create
    with create(**REQUEST, stream=True) as response:
        list(response.iter_lines())
    assert ending(emission) == failed("overloaded_error")
