"""Instrumented crews in front of the scripted model."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from importlib.metadata import version
from typing import Any

import pytest
from crew_fixtures import collected, crewai_alone, instrument, instrumented, pytest_itemcollected
from crews import crewai

from otel_agents.distro.scripted_model import Answer, ScriptedModel

__all__ = ["collected", "crewai_alone", "instrument", "instrumented", "pytest_itemcollected"]

_VERSION = tuple(int(part) for part in version("crewai").split(".")[:2])
OLDEST, MIDDLE = _VERSION < (1, 0), _VERSION < (1, 5)
_NEWEST = (
    "calls",
    "consent",
    "content",
    "examples",
    "failing",
    "flows",
    "left",
    "limits",
    "private",
    "tools",
    "turns",
)
_LACKING = (
    ("bus", "persistence", *_NEWEST)
    if OLDEST
    else ("memories", *_NEWEST)
    if MIDDLE
    else ("memories", "react")
)
"""The files whose tests are of what this version has not."""
collect_ignore = [f"test_crewai_{name}.py" for name in _LACKING]


@pytest.fixture
def model(monkeypatch: pytest.MonkeyPatch) -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        if OLDEST:  # its agents know no tools but those that they are told of in the prompt
            model.script_by(lambda request: Answer("Thought: I know it.\nFinal Answer: it"))
        monkeypatch.setenv("OPENAI_BASE_URL", model.openai_url)
        monkeypatch.setenv("OPENAI_API_BASE", model.openai_url)
        yield model


@pytest.fixture
def llm(model: ScriptedModel) -> Any:
    """A model that two agents may share."""
    return crewai.LLM(model="gpt-4o-mini", base_url=model.openai_url, api_key="none")


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """What somebody types at the prompt."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))
