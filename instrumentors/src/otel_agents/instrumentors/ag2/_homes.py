"""Where AG2's agents live: ``ag2`` from 1 on, before that ``autogen.beta``."""

from __future__ import annotations

from functools import lru_cache
from importlib.util import find_spec

__all__ = ["home", "part"]


@lru_cache(maxsize=1)
def home() -> str:
    """The package; one distribution has it, so that there is never more than one."""
    return "ag2" if find_spec("ag2") is not None else "autogen.beta"


def part(module: str) -> str:
    """A module's name within the package; empty for one of somebody else's."""
    own = f"{home()}."
    return module.removeprefix(own) if module.startswith(own) else ""
