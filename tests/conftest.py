"""What tests get: what the authors of instrumentors get too, and checks of gaps and threads."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite(
    "content_laws",
    "edited_laws",
    "error_laws",
    "fault_laws",
    "header_laws",
    "ledger_laws",
    "native_laws",
    "native_conflicts",
    "span_laws",
    "stream_laws",
)

pytest_plugins = ["otel_agents.testing.plugin", "gaps", "lasting_threads", "pytester"]
