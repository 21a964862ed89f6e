"""``python -m otel_agents.distro`` is the command ``otel-agents``."""

from __future__ import annotations

import sys

from otel_agents.distro.command import main

sys.exit(main())
