"""What tests get: what the authors of instrumentors get too, and a check of the declared gaps."""

from __future__ import annotations

pytest_plugins = ["otel_agents.testing.plugin", "gaps", "pytester"]
