"""Instrumented model clients of AutoGen in front of the scripted model."""

from __future__ import annotations

from autogen_fixtures import balanced, instrument, instrumented

__all__ = ["balanced", "instrument", "instrumented"]
