"""What tests get: what the authors of instrumentors get too, and a check of the declared gaps."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "content_laws",
    "edited_laws",
    "error_laws",
    "fault_laws",
    "header_laws",
    "ledger_laws",
    "span_laws",
    "stream_laws",
)
pytest_plugins = ["otel_agents.testing.plugin", "gaps", "pytester"]
