"""The demo: agents against the scripted model, their trace drawn in the terminal.

What it needs beside the distro comes with the extra ``demo``.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

__all__ = ["lacking", "run"]

_NEEDS: Final = MappingProxyType(
    {
        "a model that answers without a network": ("otel_agents.testing",),
        "crewai or openai": ("crewai", "openai"),
    }
)
"""What is needed, and the packages of which one is enough."""


def lacking() -> list[str]:
    """What the demo needs and is not installed; empty where it can run."""
    return [what for what, packages in _NEEDS.items() if not any(map(find_spec, packages))]


def run() -> int:
    """Run the demo; the status to exit with: 1, and one line, where something is not installed."""
    if needed := lacking():
        install = 'pip install "otel-agents[demo]"'
        sys.stderr.write(f"The demo needs {', and '.join(needed)}. Run: {install}\n")
        return 1
    from otel_agents.distro.demo import programs

    return programs.run()
