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

__all__ = ["check_counted_once"]

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


def check_counted_once(
    way: Way, conflict: str, native: NativeEmission, model: ScriptedModel
) -> None:
    """Check that each response has one span in the conventions' names, and is in the metrics once."""
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
