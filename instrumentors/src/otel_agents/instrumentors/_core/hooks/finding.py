"""Hooks of the application's that see content: how they are found, and what is said if one fails."""

from __future__ import annotations

import importlib
import logging
import sys
from importlib.metadata import entry_points
from typing import Any

from otel_agents.instrumentors._core import errors

__all__ = ["failed", "find"]

_log = logging.getLogger("otel_agents")


def find(group: str, name: str) -> Any:
    """What the entry point ``name`` of ``group`` stands for, or ``module:attribute``.

    Raises:
        LookupError: There is no entry point of that name, and it is no ``module:attribute``.
        Exception: Whatever importing it raises.
    """
    for found in entry_points(group=group):
        if found.name == name:
            return found.load()
    module, _, path = name.partition(":")
    if not path:
        raise LookupError(f"no entry point of that name in the group {group}")
    value: Any = importlib.import_module(module)
    for attribute in path.split("."):
        value = getattr(value, attribute)
    return value


def failed(hook: str, consequence: str) -> None:
    """A hook raised the exception being handled: count it, and say so the first time.

    Its text is not logged: it may quote what the hook was given.

    Args:
        hook: Which hook: ``"the completion hook"``.
        consequence: What that means for the content.
    """
    doing = f"calling {hook}"
    if not errors.counts.add(doing):
        return
    kind = type(sys.exc_info()[1]).__name__
    _log.warning(
        "otel-agents: %s failed (%s), so %s; further failures are only counted",
        hook,
        kind,
        consequence,
    )
    _log.debug("otel-agents: %s failed", hook, exc_info=True)
