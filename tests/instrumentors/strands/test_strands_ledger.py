"""Each response is one span, of the framework; its tokens are in our metrics, as it has none."""

from __future__ import annotations

import strands_runs as runs
from native_emission import NativeEmission, billed, scope_of
from native_laws import NativeLaws, StreamLaws

from otel_agents.testing.scripted_model import ScriptedModel

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


def test_a_call_without_a_span_of_the_framework_is_ours(
    native: NativeEmission, model: ScriptedModel
) -> None:
    model.script('{"name": "Bern"}')
    runs.structured(model)
    assert billed(model) == 1
    assert native.tokens == (model.ledger.input_tokens, model.ledger.output_tokens)
    assert [scope_of(span) for span in native.inferences] == ["otel_agents.instrumentors.openai"]
