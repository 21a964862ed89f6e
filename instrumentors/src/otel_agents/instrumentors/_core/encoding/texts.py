"""Texts of what an application gave for an attribute that is a text."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.errors import call_foreign

__all__ = ["text_of"]


def text_of(value: Any) -> str:
    """Return ``value`` as a text; that of an enumeration's member which is a text is its value."""
    if isinstance(value, str):
        return str.__str__(value)
    return call_foreign("reading a value as text", lambda: str(value), type(value).__name__)
