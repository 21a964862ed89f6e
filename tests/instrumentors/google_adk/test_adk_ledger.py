"""Each response is one span, of ADK, with Gemini and with LiteLLM."""

from __future__ import annotations

from threading import Event

import google_adk_runs as runs
from native_emission import NativeEmission, attributes_of, billed, scope_of
from native_laws import NativeLaws, StreamLaws

from otel_agents.instrumentors import hosting
from otel_agents.testing.scripted_model import Failure, Hold, Response, ScriptedModel

SCOPE = "gcp.vertex.agent"


class TestADK(NativeLaws):
    scope = SCOPE
    completed = ()  # ADK ends the span of a stream of Gemini before we know more


class TestStreams(StreamLaws):
    scope = SCOPE
    streamed = runs.WAYS["LiteLLM, streamed"]
    left = runs.left

    def test_a_stream_that_is_cancelled_as_it_is_left_is_one_span(
        self, native: NativeEmission, model: ScriptedModel
    ) -> None:
        gate = Event()
        model.script(Response("One two three four.", hold=Hold(after=3, gate=gate)))
        try:
            runs.left(model)
        finally:
            gate.set()
        assert hosting.drain_streams(5)
        (span,) = native.inferences
        assert scope_of(span) == SCOPE
        error = attributes_of(span).get("error.type")
        assert error in (None, "asyncio.exceptions.CancelledError")  # ADK 1 closes the stream
        assert native.recorded("gen_ai.client.operation.duration")[1] == 1


def test_the_failed_attempt_before_a_fallback_is_ours_in_spans_and_metrics(
    native: NativeEmission, model: ScriptedModel
) -> None:
    model.script(Failure(500), "Fine.")
    runs.fallback(model)
    requests = model.ledger.requests
    assert (requests, billed(model)) == (2, 1)
    assert ["error.type" in attributes_of(span) for span in native.ours] == [True]
    assert len(native.inferences) == requests
    assert native.tokens == (model.ledger.input_tokens, model.ledger.output_tokens)
    assert native.recorded("gen_ai.client.token.usage", "input") == (model.ledger.input_tokens, 1)
    assert native.recorded("gen_ai.client.operation.duration")[1] == requests


def test_a_failure_that_a_callback_responds_to_is_in_the_metrics_once(
    native: NativeEmission, model: ScriptedModel
) -> None:
    model.script(Failure(400))
    runs.swallowed(model)
    assert (model.ledger.requests, billed(model)) == (1, 0)
    assert ["error.type" in attributes_of(span) for span in native.ours] == [True]
    assert native.recorded("gen_ai.client.operation.duration")[1] == 1
    assert native.recorded("gen_ai.client.token.usage", "input") == (0, 0)
