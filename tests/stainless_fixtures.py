"""Fixtures for the tests of an SDK that Stainless generates, which a conftest imports.

It adds ``sdk`` and ``instrumentor``, which `fixtures_of` returns.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from framework_fixtures import instrument, instrumented, lasting_loop, with_content
from stainless_calls import Sdk

from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = [
    "client",
    "fixtures_of",
    "instrument",
    "instrumented",
    "lasting_loop",
    "run",
    "url",
    "with_content",
]


def fixtures_of(known: Sdk, of_it: type[AgentInstrumentor]) -> tuple[Any, Any]:
    """Return the fixtures ``sdk`` and ``instrumentor``."""

    @pytest.fixture
    def sdk() -> Sdk:
        return known

    @pytest.fixture
    def instrumentor() -> type[AgentInstrumentor]:
        return of_it

    return sdk, instrumentor


@pytest.fixture
def url(sdk: Sdk, model: ScriptedModel) -> str:
    return getattr(model, sdk.url)


@pytest.fixture
def client(sdk: Sdk, url: str) -> Iterator[Any]:
    with sdk.connect(url) as client:
        yield client


@pytest.fixture
def run(sdk: Sdk, url: str) -> Callable[..., Any]:
    """Run ``function(client)`` with an async client, in an event loop of its own."""
    return functools.partial(sdk.use_async, url)
