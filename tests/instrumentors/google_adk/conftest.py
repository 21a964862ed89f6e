"""Google's ADK in front of the scripted model."""

from __future__ import annotations

import pytest
from framework_fixtures import pytest_itemcollected, pytest_unconfigure
from native_laws import native, process_emission

from otel_agents.instrumentors.google_adk import GoogleADKInstrumentor
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["native", "process_emission", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture
def library(model: ScriptedModel, monkeypatch: pytest.MonkeyPatch) -> type[GoogleADKInstrumentor]:
    """Return the library's instrumentor; point Gemini at the scripted model."""
    monkeypatch.setenv("GOOGLE_API_KEY", "none")
    monkeypatch.setenv("GOOGLE_GEMINI_BASE_URL", model.base_url)
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    return GoogleADKInstrumentor
