"""Fixtures that several modules share."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
from lazy_packages import apply, logged, packages

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.testing.emission import Emission

__all__ = ["apply", "logged", "packages"]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_logstart() -> None:
    """Have collections leave out what was there before: thousands of tests and all modules.

    Once, and again after a test that has undone it.
    """
    if not gc.get_freeze_count():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about what an earlier test left open
            gc.collect()
        gc.freeze()


@pytest.hookimpl(trylast=True)
def pytest_runtest_teardown(nextitem: pytest.Item | None) -> None:
    """Undo it after the last test of this folder."""
    if nextitem is None or not nextitem.path.is_relative_to(Path(__file__).parent):
        gc.unfreeze()


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
