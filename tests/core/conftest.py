"""Fixtures that several modules share."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest
from lazy_packages import apply, logged, packages

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.testing.emission import Emission

__all__ = ["apply", "logged", "packages"]


@pytest.fixture
def telemetry(emission: Emission) -> Telemetry:
    return Telemetry("toy", **emission.providers)


@pytest.fixture
def caught(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The actions of internal errors, which are not raised."""
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    return caught


@pytest.fixture
def counts(monkeypatch: pytest.MonkeyPatch) -> Counts:
    """The errors counted in this test."""
    counts = Counts()
    monkeypatch.setattr(errors, "counts", counts)
    return counts


@pytest.fixture
def uncollected() -> Iterator[None]:
    """What is freed, is freed without the collector, which may take its time."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()
