"""Unique ids and token counts, so that a sum shows what was counted twice."""

from __future__ import annotations

import itertools
import uuid

from otel_agents.testing.scripted_model.reactions import Usage


class Numbers:
    """The counters of one model. Ids differ between models too."""

    def __init__(self) -> None:
        self._seed = uuid.uuid4().hex[:12]
        self._ids = itertools.count(1)  # next() on it is atomic
        self._bills = itertools.count(1)

    def id(self, prefix: str) -> str:
        """Return a new id, such as "chatcmpl-3f0c…"."""
        return f"{prefix}{self._seed}{next(self._ids):06x}"

    def usage(self) -> Usage:
        """Return new token counts; every second one has cached and reasoning tokens."""
        number = next(self._bills)
        partly = number % 2 == 0
        return Usage(
            input_tokens=1000 + 13 * number,
            output_tokens=100 + 7 * number,
            cached_tokens=300 + number if partly else 0,
            reasoning_tokens=30 + number if partly else 0,
        )
