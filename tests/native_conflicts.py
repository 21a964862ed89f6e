"""Other instrumentations of the same SDKs that an application starts itself, beside ours."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any

import pytest
from native_emission import NativeEmission, attributes_of
from native_laws import Way

from otel_agents.instrumentors import hosting
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["ConflictLaws", "conflict"]

_TOKENS = "gen_ai.client.token.usage"


@contextmanager
def _running(name: str) -> Generator[None, None, None]:
    module, _, kind = name.partition(":")
    conflict: Any = getattr(pytest.importorskip(module), kind)()
    conflict.instrument(skip_dep_check=True)
    try:
        yield
    finally:
        conflict.uninstrument()


@pytest.fixture(
    params=[
        "opentelemetry.instrumentation.genai.openai:OpenAIInstrumentor",
        "openinference.instrumentation.openai:OpenAIInstrumentor",
    ],
    ids=["official", "OpenInference"],
)
def conflict(request: pytest.FixtureRequest) -> str:
    """Return the module and the name of another instrumentor."""
    return request.param


class ConflictLaws:
    """Laws of each ``conflict`` and each ``way``: see `native_laws.NativeLaws`."""

    def test_each_response_has_one_span_and_is_in_the_metrics_once(
        self, way: Way, conflict: str, native: NativeEmission, model: ScriptedModel
    ) -> None:
        """The spans are those with the conventions' names, whoever emitted them."""
        with _running(conflict):
            way(model)
        assert hosting.drain_streams(5)
        ledger = model.ledger
        spans = [
            span for span in native.inferences if "gen_ai.usage.input_tokens" in attributes_of(span)
        ]
        assert len(spans) == len(native.inferences) == 2
        assert native.tokens == (ledger.input_tokens, ledger.output_tokens)
        assert native.recorded(_TOKENS, "input") == (ledger.input_tokens, 2)
        assert native.recorded(_TOKENS, "output") == (ledger.output_tokens, 2)
        assert native.traces() == 1
