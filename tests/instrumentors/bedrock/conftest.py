"""An instrumented boto3 and aiobotocore in front of the scripted model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest
from bedrock_calls import client_of, run_async
from framework_fixtures import (
    instrument,
    instrumented,
    lasting_loop,
    pytest_itemcollected,
    with_content,
)

from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["instrument", "instrumented", "lasting_loop", "pytest_itemcollected", "with_content"]


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[Any]:
    client = client_of(model.base_url)
    yield client
    client.close()


@pytest.fixture
def run(model: ScriptedModel) -> Callable[..., Any]:
    """Run ``function(client)`` with a client of aiobotocore, in an event loop of its own."""
    return partial(run_async, model.base_url)


@pytest.fixture
def instrumentor() -> type[BedrockInstrumentor]:
    return BedrockInstrumentor
