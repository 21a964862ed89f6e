"""A stub of the ``vertexai`` package, where that is not installed.

AG2's Gemini client imports it, and uses it only without an API key for Gemini. The package has a
hundred megabytes and takes a minute to import.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

__all__ = ["stand_in"]


class _Package(ModuleType):
    """A module with a class for every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def stand_in() -> None:
    """Make ``vertexai`` importable where it is not installed."""
    if find_spec("vertexai") is None:
        package, models = _Package("vertexai"), _Package("vertexai.generative_models")
        package.__path__ = []
        sys.modules |= {"vertexai": package, "vertexai.generative_models": models}
