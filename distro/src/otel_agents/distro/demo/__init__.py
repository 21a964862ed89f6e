"""The demo: agents against the scripted model, their trace drawn in the terminal.

Its further requirements come with the extra ``demo``.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

__all__ = ["missing_packages", "run"]

_REQUIREMENTS: Final = MappingProxyType(
    {
        "a local scripted model": ("otel_agents.testing",),
        "crewai or openai": ("crewai", "openai"),
    }
)
"""The requirements, and packages of which one is enough."""


def missing_packages() -> list[str]:
    """Return the requirements of the demo that are not installed."""
    return [what for what, packages in _REQUIREMENTS.items() if not any(map(find_spec, packages))]


def run() -> int:
    """Run the demo; return the exit status: 1, with one line, if something is not installed."""
    if needed := missing_packages():
        install = 'pip install "otel-agents[demo]"'
        sys.stderr.write(f"The demo needs {', and '.join(needed)}. Run: {install}\n")
        return 1
    from otel_agents.distro.demo import programs

    return programs.run()
