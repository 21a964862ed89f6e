"""Instrumented teams of AutoGen in front of the scripted model."""

from __future__ import annotations

from autogen_fixtures import balanced, client, instrument, instrumented, run
from autogen_teams import VERSION
from framework_fixtures import lasting_loop
from packaging.version import Version

__all__ = ["balanced", "client", "instrument", "instrumented", "lasting_loop", "run"]

_SINCE = {
    "example": "0.6",
    "flat": "0.7",
    "graph": "0.6",
    "mcp": "0.6",
    "nesting": "0.7",
    "runners": "0.6",
    "streams": "0.6.2",
}
"""The first version with what a test needs."""
collect_ignore = [
    f"test_autogen_{name}.py" for name, since in _SINCE.items() if Version(since) > VERSION
]
