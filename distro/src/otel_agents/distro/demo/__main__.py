"""``python -m otel_agents.distro.demo`` is ``otel-agents demo``."""

from __future__ import annotations

import sys

from otel_agents.distro.demo import run

sys.exit(run())
