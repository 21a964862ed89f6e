"""Microsoft Agent Framework in front of the scripted model."""

from __future__ import annotations

import pytest
from framework_fixtures import pytest_itemcollected, pytest_unconfigure
from native_laws import native, process_emission

from otel_agents.instrumentors.agent_framework import AgentFrameworkInstrumentor

__all__ = ["native", "process_emission", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> type[AgentFrameworkInstrumentor]:
    """Return the library's instrumentor; enable its telemetry, as it is by default since 1.2."""
    from agent_framework import observability

    monkeypatch.setattr(observability.OBSERVABILITY_SETTINGS, "enable_instrumentation", True)
    return AgentFrameworkInstrumentor
