"""Each response is one span, of the framework; its tokens are in our metrics, as it has none."""

from __future__ import annotations

import pytest
import strands_runs as runs
from native_emission import NativeEmission, billed, scope_of
from native_laws import NativeLaws, Way, check_broken, check_left

from otel_agents.testing.scripted_model import ScriptedModel

SCOPE = "strands.telemetry.tracer"


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return runs.WAYS[request.param]


class TestStrands(NativeLaws):
    scope = SCOPE
    parts = frozenset(
        {2, 4}
    )  # in 1.0 what is below a span that is not sampled is a trace of its own


def test_a_stream_that_breaks_is_one_failed_attempt(
    native: NativeEmission, model: ScriptedModel
) -> None:
    check_broken(runs.streamed, native, model)


def test_a_stream_that_is_left_is_one_span(native: NativeEmission, model: ScriptedModel) -> None:
    check_left(runs.left, SCOPE, native, model)


def test_a_call_without_a_span_of_the_framework_is_ours(
    native: NativeEmission, model: ScriptedModel
) -> None:
    model.script('{"name": "Bern"}')
    runs.structured(model)
    assert billed(model) == 1
    assert native.tokens == (model.ledger.input_tokens, model.ledger.output_tokens)
    assert [scope_of(span) for span in native.inferences] == ["otel_agents.instrumentors.openai"]
