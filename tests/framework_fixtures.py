"""Fixtures for the tests of one framework, each for a conftest to import."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Iterator

import pytest

__all__ = ["collected", "instrumented", "pytest_itemcollected"]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a framework warn of itself, as many do in every version; we may not."""
    item.add_marker(pytest.mark.filterwarnings("ignore", r"error:::otel_agents\..*"))


@pytest.fixture(scope="session", autouse=True)
def collected() -> Iterator[None]:
    """Collects, in the end, the loops, clients and sockets that a framework has left open."""
    yield
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        gc.collect()


@pytest.fixture
def instrumented(instrument: Callable[..., None]) -> None:
    """Instruments with the defaults."""
    instrument()
