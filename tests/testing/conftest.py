"""A plain HTTP connection to the scripted model."""

from __future__ import annotations

import http.client
from collections.abc import Iterator

import pytest

from otel_agents.testing.scripted_model import ScriptedModel


@pytest.fixture
def connection(model: ScriptedModel) -> Iterator[http.client.HTTPConnection]:
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
    yield connection
    connection.close()
