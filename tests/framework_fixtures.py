"""Fixtures and checks for the tests of one framework, which a conftest imports."""

from __future__ import annotations

import asyncio
import gc
import warnings
from collections.abc import Callable, Iterator, Sized

import pytest
from opentelemetry import trace

from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting

__all__ = [
    "check_nothing_left",
    "instrument",
    "instrumented",
    "lasting_loop",
    "pytest_itemcollected",
    "pytest_unconfigure",
    "with_content",
]

_PASSES = 9


def pytest_itemcollected(item: pytest.Item) -> None:
    """Tolerate a framework's own warnings, which many have in every version; ours stay errors."""
    item.add_marker(pytest.mark.filterwarnings("ignore", r"error:::otel_agents\..*"))


@pytest.hookimpl(tryfirst=True)
def pytest_unconfigure() -> None:
    """Collect the loops, clients and sockets that a framework left open, before pytest does.

    A client that is collected while another loop runs is closed there, which fails and is logged;
    pytest keeps the record and its frames until the last test. Objects that such a record holds are
    left for the next collection.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(_PASSES):
            if not gc.collect():
                break


@pytest.fixture
def instrument(
    emission: Emission, instrumentor: type[AgentInstrumentor]
) -> Iterator[Callable[..., None]]:
    """Instrument the library of the fixture ``instrumentor``, which a conftest defines."""
    with instrumenting(emission, instrumentor()) as instrument:
        yield instrument


@pytest.fixture
def instrumented(instrument: Callable[..., None]) -> None:
    """Instrument with the defaults."""
    instrument()


@pytest.fixture
def with_content(instrument: Callable[..., None]) -> None:
    """Instrument with content on spans."""
    instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")


@pytest.fixture
def lasting_loop() -> Iterator[asyncio.AbstractEventLoop]:
    """Return one event loop for everything that a test runs."""
    loop = asyncio.new_event_loop()
    yield loop
    loop.run_until_complete(loop.shutdown_asyncgens())
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()


def check_nothing_left(runs: Sized) -> None:
    """Check that no run is in progress, and no span current."""
    assert len(runs) == 0
    assert not trace.get_current_span().get_span_context().is_valid
