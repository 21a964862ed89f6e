"""Google's ADK in front of the scripted model."""

from __future__ import annotations

import google_adk_runs as runs
import pytest
from framework_fixtures import pytest_itemcollected, pytest_unconfigure
from native_conflicts import conflict
from native_laws import Way, native, process_emission

from otel_agents.instrumentors.google_adk import GoogleADKInstrumentor
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["conflict", "native", "process_emission", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture
def library(model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> type[GoogleADKInstrumentor]:
    """Return the library's instrumentor; point Gemini at the scripted model."""
    monkeypatch.setenv("GOOGLE_API_KEY", "none")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model.base_url)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    return GoogleADKInstrumentor


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Return a way to run an agent."""
    return runs.WAYS[request.param]
