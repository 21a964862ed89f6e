"""Instrumented clients and servers of the Model Context Protocol."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Iterator
from importlib.util import find_spec
from typing import Any

import pytest
from framework_fixtures import (
    instrument,
    instrumented,
    pytest_itemcollected,
    pytest_unconfigure,
    with_content,
)
from mcp_server import NEWEST, VERSION
from opentelemetry import context
from packaging.version import Version

from otel_agents.instrumentors.mcp import McpInstrumentor

__all__ = [
    "instrument",
    "instrumented",
    "pytest_itemcollected",
    "pytest_unconfigure",
    "with_content",
]

collect_ignore: list[str] = []
if find_spec("fastmcp") is None:
    collect_ignore.append("test_mcp_fastmcp.py")
if not NEWEST:
    collect_ignore.append("test_mcp_input_required.py")
if NEWEST or find_spec("websockets") is None:
    collect_ignore.append("test_mcp_websocket.py")
if Version("1.10") > VERSION:
    collect_ignore.append("test_mcp_elicitation.py")


@pytest.fixture
def instrumentor() -> type[McpInstrumentor]:
    """Return what is tested."""
    return McpInstrumentor


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    """Keep the servers' own logging out of what a test prints."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


@pytest.fixture
def run() -> Callable[[Coroutine[Any, Any, Any]], Any]:
    """Return a function that runs a coroutine, and checks that it leaves no context behind."""

    def running(work: Coroutine[Any, Any, Any]) -> Any:
        result = asyncio.run(work)
        assert not context.get_current()
        return result

    return running
