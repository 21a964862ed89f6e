"""How the distribution speaks to its user: one line on the logger ``otel_agents``."""

from __future__ import annotations

import logging

__all__ = ["say"]

_log = logging.getLogger("otel_agents")


def say(message: str, *values: object) -> None:
    """One WARNING line: what, why, what to do.

    Where the application has not configured logging, it appears on stderr as it is.
    """
    _log.warning("otel-agents: " + message, *values)
