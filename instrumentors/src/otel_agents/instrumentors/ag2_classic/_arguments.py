"""What a method was called with, by position or by name."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls import Call

__all__ = ["argument"]


def argument(call: Call, place: int, name: str) -> Any:
    """The argument at ``place``, counted without the object itself; None if it was left out."""
    return call.args[place] if len(call.args) > place else call.kwargs.get(name)
