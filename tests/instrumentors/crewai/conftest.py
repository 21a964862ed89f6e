"""Instrumented crews in front of the scripted model."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pytest
from crew_fixtures import (
    crewai_alone,
    instrument,
    instrumented,
    pytest_itemcollected,
    pytest_unconfigure,
)
from crews import crewai

from otel_agents.testing.scripted_model import Response, ScriptedModel

__all__ = [
    "crewai_alone",
    "instrument",
    "instrumented",
    "pytest_itemcollected",
    "pytest_unconfigure",
]

_VERSION = tuple(int(part) for part in version("crewai").split(".")[:2])
OLDEST = _VERSION < (1, 0)
_SINCE = {
    (1, 0): ("bus", "model_tools", "guardrails", "persistence", "refused"),
    (1, 5): ("calls", "tools"),
    (1, 11): ("plans",),
    (1, 15): (
        *("again", "consent", "content", "edited", "examples", "failing", "flat", "flows"),
        *("abandoned", "limits", "private", "turns"),
    ),
}
"""The first version with what the tests of a file need."""
_UNTIL = {(1, 0): ("memories",), (1, 5): ("react",)}
collect_ignore = [
    f"test_crewai_{name}.py"
    for table, excludes in ((_SINCE, _VERSION.__lt__), (_UNTIL, _VERSION.__ge__))
    for known, names in table.items()
    if excludes(known)
    for name in names
]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        if OLDEST:  # its agents expect this format in the response
            model.script_by(lambda request: Response("Thought: I know it.\nFinal Answer: it"))
        monkeypatch.setenv("OPENAI_BASE_URL", model.openai_url)
        monkeypatch.setenv("OPENAI_API_BASE", model.openai_url)
        yield model


@pytest.fixture
def llm(model: ScriptedModel) -> Any:
    """Return a model that two agents may share."""
    return crewai.LLM(model="gpt-4o-mini", base_url=model.openai_url, api_key="none")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that types at the prompt."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))
