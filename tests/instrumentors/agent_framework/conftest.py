"""Microsoft Agent Framework in front of the scripted model."""

from __future__ import annotations

import agent_framework_runs as runs
import pytest
from framework_fixtures import pytest_itemcollected, pytest_unconfigure
from native_conflicts import conflict
from native_laws import Way, native, process_emission

from otel_agents.instrumentors.agent_framework import AgentFrameworkInstrumentor

__all__ = ["conflict", "native", "process_emission", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> type[AgentFrameworkInstrumentor]:
    """Return the library's instrumentor; enable its telemetry, as it is by default since 1.2."""
    from agent_framework import observability

    monkeypatch.setattr(observability.OBSERVABILITY_SETTINGS, "enable_instrumentation", True)
    return AgentFrameworkInstrumentor


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Return a way to run an agent."""
    return runs.WAYS[request.param]
