"""Stands in for the package of Vertex AI, where it is not installed.

AG2's client of Gemini imports it, and uses it only where it is given no key for Gemini itself. It
is a hundred megabytes, and takes a minute to import.
"""

from __future__ import annotations

import sys
from importlib.util import find_spec
from types import ModuleType
from typing import Any

__all__ = ["stand_in"]


class _Package(ModuleType):
    """A module that has a class for every name."""

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return type(name, (), {})


def stand_in() -> None:
    """Have ``vertexai`` be importable where it is not."""
    if find_spec("vertexai") is None:
        package, models = _Package("vertexai"), _Package("vertexai.generative_models")
        package.__path__ = []
        sys.modules |= {"vertexai": package, "vertexai.generative_models": models}
