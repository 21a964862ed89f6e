"""How the distribution speaks to its user: one line on the logger ``otel_agents``."""

from __future__ import annotations

from otel_agents.instrumentors.hosting import warn

__all__ = ["say"]


def say(message: str, *values: object) -> None:
    """One WARNING line: what, why, what to do.

    Where the application has not configured logging, it appears on stderr as it is.
    """
    warn("otel-agents: " + message, *values)
