"""How turns are numbered where more conversations go on than are known."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest

from otel_agents.instrumentors.ag2 import _turns


def test_of_more_conversations_the_one_that_was_silent_for_longest_begins_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What keeps their history may live as long as the process."""
    monkeypatch.setattr(_turns, "LIMIT", 2)
    history: Any = import_module("ag2.history")
    keeper = SimpleNamespace(storage=history.MemoryStorage())

    def turn(stream: str) -> tuple[str | None, int | None]:
        return _turns.place(
            SimpleNamespace(dependencies={}, stream=SimpleNamespace(id=stream, history=keeper))
        )

    told = [turn(stream) for stream in "aabacab"]
    assert told == [("a", 1), ("a", 2), ("b", 1), ("a", 3), ("c", 1), ("a", 4), ("b", 1)]
