"""Each response is one span, of the framework; its tokens are in our metrics, as it has none."""

from __future__ import annotations

import asyncio
import gc
from threading import Event

import pytest
import strands_runs as runs
from native_emission import NativeEmission, attributes_of, billed, scope_of
from native_laws import NativeLaws, StreamLaws

from otel_agents.instrumentors import hosting
from otel_agents.testing.scripted_model import Hold, Response, ScriptedModel

SCOPE = "strands.telemetry.tracer"


class TestStrands(NativeLaws):
    scope = SCOPE
    parts = frozenset(
        {2, 4}
    )  # in 1.0 what is below a span that is not sampled is a trace of its own


class TestStreams(StreamLaws):
    scope = SCOPE
    streamed = runs.streamed
    left = runs.left


def test_a_stream_that_is_cancelled_is_our_span(
    native: NativeEmission, model: ScriptedModel
) -> None:
    gate = Event()
    model.script(Response("One two three four.", hold=Hold(after=3, gate=gate)))

    async def cancelled() -> None:
        task = asyncio.current_task()
        async for event in runs.agent(model).stream_async("Hello."):
            if "data" in event and task is not None:
                task.cancel()

    try:
        with pytest.raises(asyncio.CancelledError):
            asyncio.run(cancelled())
    finally:
        gate.set()
    gc.collect()
    assert hosting.drain_streams(5)
    (span,) = native.inferences  # Strands never ends its own
    assert span in native.ours
    assert attributes_of(span)["error.type"] == "asyncio.exceptions.CancelledError"
    assert native.recorded("gen_ai.client.operation.duration")[1] == 1


def test_a_call_without_a_span_of_the_framework_is_ours(
    native: NativeEmission, model: ScriptedModel
) -> None:
    model.script('{"name": "Bern"}')
    runs.structured(model)
    assert billed(model) == 1
    assert native.tokens == (model.ledger.input_tokens, model.ledger.output_tokens)
    assert [scope_of(span) for span in native.inferences] == ["otel_agents.instrumentors.openai"]
