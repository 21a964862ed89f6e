"""Fixtures for the tests of one framework, each for a conftest to import."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator

import pytest

__all__ = ["collected", "instrumented", "lasting_loop", "pytest_itemcollected"]


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


@pytest.fixture
def lasting_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """One loop for all that a test runs."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
