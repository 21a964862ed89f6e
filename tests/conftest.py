"""What tests get: what the authors of instrumentors get too, and a check of the declared gaps."""

from __future__ import annotations

import pytest

pytest.register_assert_rewrite("error_laws", "ledger_laws")
pytest_plugins = ["otel_agents.testing.plugin", "gaps", "pytester"]
