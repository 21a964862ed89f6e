"""Strands Agents in front of the scripted model."""

from __future__ import annotations

import pytest
from framework_fixtures import pytest_itemcollected, pytest_unconfigure
from native_laws import native, process_emission

from otel_agents.instrumentors.strands import StrandsInstrumentor

__all__ = ["native", "process_emission", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture
def library() -> type[StrandsInstrumentor]:
    """Return the library's instrumentor."""
    return StrandsInstrumentor
