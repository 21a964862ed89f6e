"""Each response is one span, of Pydantic AI; its tokens are in its metric, its duration in ours."""

from __future__ import annotations

import pydantic_ai_runs as runs
import pytest
from native_emission import NativeEmission, attributes_of, billed, scope_of
from native_laws import NativeLaws, Way, check_broken, check_embedded, check_left

from otel_agents.testing.scripted_model import Failure, ScriptedModel

SCOPE = "pydantic-ai"


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    return runs.WAYS[request.param]


class TestPydanticAI(NativeLaws):
    scope = SCOPE


def test_a_stream_that_breaks_is_one_failed_attempt(
    native: NativeEmission, model: ScriptedModel
) -> None:
    check_broken(runs.streamed, native, model)


def test_a_stream_that_is_left_is_one_span(native: NativeEmission, model: ScriptedModel) -> None:
    check_left(runs.left, SCOPE, native, model)


def test_embeddings_are_one_span(native: NativeEmission, model: ScriptedModel) -> None:
    pytest.importorskip("pydantic_ai.embeddings")
    check_embedded(runs.embedded, SCOPE, native, model)


def test_the_failed_attempt_before_a_fallback_is_ours(
    native: NativeEmission, model: ScriptedModel
) -> None:
    pytest.importorskip("pydantic_ai.models.fallback")
    model.script(Failure(500), "Fine.")
    runs.fallback(model)
    assert billed(model) == 1
    assert native.tokens == (model.ledger.input_tokens, model.ledger.output_tokens)
    spans = {scope_of(span): attributes_of(span) for span in native.inferences}
    ours, theirs = spans["otel_agents.instrumentors.openai"], spans[SCOPE]
    assert len(native.inferences) == 2
    assert (ours["gen_ai.request.model"], "error.type" in ours) == ("gpt-4o", True)
    assert (theirs["gen_ai.response.model"], "error.type" in theirs) == (
        "gpt-4o-mini-2024-07-18",
        False,
    )
    assert native.recorded("gen_ai.client.operation.duration")[1] == 2
