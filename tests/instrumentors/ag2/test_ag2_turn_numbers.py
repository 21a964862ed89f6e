"""The numbers of turns beyond the limit of known conversations."""

from __future__ import annotations

from importlib import import_module
from types import SimpleNamespace
from typing import Any

import pytest


def test_the_longest_idle_conversation_starts_at_one_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The storage of their history may live as long as the process."""
    turns: Any = import_module("otel_agents.instrumentors.ag2._turns")
    monkeypatch.setattr(turns, "LIMIT", 2)
    history_module: Any = import_module("ag2.history")
    history = SimpleNamespace(storage=history_module.MemoryStorage())

    def turn(stream: str) -> tuple[str | None, int | None]:
        context: Any = SimpleNamespace(
            dependencies={}, stream=SimpleNamespace(id=stream, history=history)
        )
        return turns.numbered_turn(context)

    numbered = [turn(stream) for stream in "aabacab"]
    assert numbered == [("a", 1), ("a", 2), ("b", 1), ("a", 3), ("c", 1), ("a", 4), ("b", 1)]
