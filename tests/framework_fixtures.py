"""Fixtures for the tests of one framework, each for a conftest to import."""

from __future__ import annotations

import gc
import warnings
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager

import pytest
from emission import Emission

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor
from otel_agents.instrumentors.settings import Settings

__all__ = ["collected", "instrumented", "instrumenting", "pytest_itemcollected"]


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


@contextmanager
def instrumenting(
    emission: Emission, *instrumentors: AgentInstrumentor
) -> Generator[Callable[..., None], None, None]:
    """What a fixture ``instrument`` is: a call instruments, with these variables' settings.

    ``sdk=False`` leaves out all instrumentors but the first, ``emission`` names another one.
    In the end nothing is instrumented.
    """

    def instrument(*, sdk: bool = True, emission: Emission = emission, **environ: str) -> None:
        for instrumentor in instrumentors if sdk else instrumentors[:1]:
            instrumentor.instrument(**emission.providers, settings=Settings.read(environ))

    yield instrument
    for instrumentor in instrumentors:
        if instrumentor.is_instrumented_by_opentelemetry:
            instrumentor.uninstrument()


@pytest.fixture
def instrumented(instrument: Callable[..., None]) -> None:
    """Instruments with the defaults."""
    instrument()
