"""Messages to the user: one line on the logger ``otel_agents``."""

from __future__ import annotations

from collections.abc import Sequence

from otel_agents.instrumentors import hosting

__all__ = ["inform", "listed", "readable_bytes", "warn"]


def warn(message: str, *values: object) -> None:
    """Log one WARNING line: what, why, what to do.

    If the application has not configured logging, it appears on stderr as it is.
    """
    hosting.warn("otel-agents: " + message, *values)


def inform(message: str, *values: object) -> None:
    """Log one INFO line: nothing has to be done."""
    hosting.inform("otel-agents: " + message, *values)


def listed(parts: Sequence[str], word: str) -> str:
    """Return ``a, b and c`` for three parts and the word ``and``."""
    return f" {word} ".join(filter(None, (", ".join(parts[:-1]), parts[-1])))


def readable_bytes(number: int) -> str:
    """Return ``64 MiB`` for ``67108864``."""
    for unit, size in (("GiB", 1024**3), ("MiB", 1024**2), ("KiB", 1024)):
        if number >= size:
            return (
                f"{number / size:g} {unit}" if number % size == 0 else f"{number / size:.1f} {unit}"
            )
    return f"{number} bytes"
