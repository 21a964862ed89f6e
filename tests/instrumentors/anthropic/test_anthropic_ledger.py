"""Law 3 for every way to call the SDK: the spans have the billed tokens, once."""

from __future__ import annotations

from typing import Any

import pytest
from anthropic_calls import ways
from ledger_laws import LedgerLaws

from otel_agents.testing.scripted_model import Response, ScriptedModel, Usage

USAGE = Usage(100, 20, cached_tokens=30, cache_write_tokens=5, reasoning_tokens=7)


@pytest.mark.parametrize(
    ("way", "call", "streamed"), [pytest.param(*row[1:], id=row[0]) for row in ways()]
)
class TestLedger(LedgerLaws):
    """The laws for each way."""

    def script(self, model: ScriptedModel) -> None:
        model.script(Response("Paris.", usage=USAGE))

    def check_usage(self, usage: dict[str, Any]) -> None:
        assert usage == {
            "input_tokens": 100,
            "output_tokens": 20,
            "cache_read.input_tokens": 30,
            "cache_write.input_tokens": 5,
            "reasoning.output_tokens": 7,
        }
