"""Fixtures for the tests of one framework, each for a conftest to import."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator

import pytest

__all__ = ["instrumented", "lasting_loop", "pytest_itemcollected", "pytest_unconfigure"]

_PASSES = 9


def pytest_itemcollected(item: pytest.Item) -> None:
    """Let a framework warn of itself, as many do in every version; we may not."""
    item.add_marker(pytest.mark.filterwarnings("ignore", r"error:::otel_agents\..*"))


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Collect, before pytest does, the loops, clients and sockets that a framework has left open.

    A client that is collected while another loop runs is closed there, which fails half-way and is
    logged: pytest keeps that, with its frames, to the end of the last test. And what is logged in
    the middle of a collection is left to the next one.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(_PASSES):
            if not gc.collect():
                break


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
