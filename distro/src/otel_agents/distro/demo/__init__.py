"""The demo: agents against the scripted model, their trace drawn in the terminal.

Its further requirements come with the extra ``demo``, and those of the models other than OpenAI's
with the extras of CrewAI.
"""

from __future__ import annotations

import argparse
import sys
from importlib.util import find_spec
from types import MappingProxyType
from typing import Final

__all__ = ["add_arguments", "missing_packages", "run"]

_KIT: Final = ("a local scripted model", ("otel_agents.testing",))
_REQUIREMENTS: Final = (_KIT, ("crewai or openai", ("crewai", "openai")))
"""The requirements, and packages of which one is enough."""
_MODELS: Final = MappingProxyType(
    {
        "claude": (_KIT, ("crewai", ("crewai",)), ("anthropic", ("anthropic",))),
        "gemini": (_KIT, ("crewai", ("crewai",)), ("google-genai", ("google.genai",))),
    }
)
"""Those of the crew for a model that is not OpenAI's."""
_INSTALL: Final = 'pip install "otel-agents[demo]"'
_INSTALL_SDKS: Final = f'{_INSTALL} "crewai[anthropic,google-genai]"'


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the arguments of the demo."""
    parser.add_argument(
        "model",
        nargs="?",
        choices=sorted(_MODELS),
        metavar="MODEL",
        help=f"the model that the crew asks: {' or '.join(_MODELS)} (default: one of OpenAI's)",
    )


def missing_packages(model: str | None = None) -> list[str]:
    """Return the requirements of the demo that are not installed."""
    requirements = _REQUIREMENTS if model is None else _MODELS[model]
    return [what for what, packages in requirements if not any(map(_is_installed, packages))]


def _is_installed(package: str) -> bool:
    try:
        return find_spec(package) is not None
    except ModuleNotFoundError:  # the package around it is not installed
        return False


def run(model: str | None = None) -> int:
    """Run the demo; return the exit status: 1, with one line, if something is not installed.

    Args:
        model: The model that the crew asks; one of OpenAI's for None.
    """
    if needed := missing_packages(model):
        install = _INSTALL if model is None else _INSTALL_SDKS
        sys.stderr.write(f"The demo needs {', and '.join(needed)}. Run: {install}\n")
        return 1
    from otel_agents.distro.demo import programs

    return programs.run(model)
