"""Each response is one span, of Pydantic AI; its tokens are in its metric, its duration in ours."""

from __future__ import annotations

import pydantic_ai_runs as runs
import pytest
from native_emission import NativeEmission, attributes_of, billed, scope_of
from native_laws import NativeLaws, StreamLaws, check_embedded

from otel_agents.testing.scripted_model import Failure, ScriptedModel

SCOPE = "pydantic-ai"


class TestPydanticAI(NativeLaws):
    scope = SCOPE


class TestStreams(StreamLaws):
    scope = SCOPE
    streamed = runs.streamed
    left = runs.left


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
