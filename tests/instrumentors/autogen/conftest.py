"""Instrumented teams of AutoGen in front of the scripted model."""

from __future__ import annotations

from autogen_fixtures import balanced, client, instrument, instrumented, model, run
from autogen_teams import VERSION
from packaging.version import Version

__all__ = ["balanced", "client", "instrument", "instrumented", "model", "run"]

OLD = Version("0.6") > VERSION
_NEWER = ("example", "graph", "mcp", "nesting", "runners")
collect_ignore = [f"test_autogen_{name}.py" for name in (_NEWER if OLD else ())]
