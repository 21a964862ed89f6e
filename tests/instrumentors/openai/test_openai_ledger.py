"""Law 3 for every way to call the SDK: the spans have the billed tokens, once."""

from __future__ import annotations

import pytest
from ledger_laws import LedgerLaws
from openai_calls import ways


@pytest.mark.parametrize(
    ("way", "call", "streamed"), [pytest.param(*row[1:], id=row[0]) for row in ways()]
)
class TestLedger(LedgerLaws):
    """The laws for each way."""
