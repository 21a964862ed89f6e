"""Strands Agents in front of the scripted model."""

from __future__ import annotations

import os

import pytest
import strands_runs as runs
from framework_fixtures import pytest_itemcollected, pytest_unconfigure
from native_conflicts import conflict
from native_laws import Way, native, process_emission

from otel_agents.instrumentors.strands import StrandsInstrumentor

os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] = "True"  # else its import fetches the price list

__all__ = ["conflict", "native", "process_emission", "pytest_itemcollected", "pytest_unconfigure"]


@pytest.fixture
def library() -> type[StrandsInstrumentor]:
    """Return the library's instrumentor."""
    return StrandsInstrumentor


@pytest.fixture(params=runs.WAYS)
def way(request: pytest.FixtureRequest) -> Way:
    """Return a way to run an agent."""
    return runs.WAYS[request.param]
