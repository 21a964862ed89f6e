"""Law 9: thousands of turns leak no memory."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import openai
import pytest
from ag2_agents import agent
from flatness import check_flat
from in_process_model import URL, serving

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_turns_leak_nothing(lasting_loop: asyncio.AbstractEventLoop) -> None:
    """All turns share one HTTP client: creating one takes most of a turn's time."""
    configs: Any = import_module("ag2.config")
    client = openai.DefaultAsyncHttpxClient()
    config = configs.OpenAIConfig(
        model="gpt-4o-mini", api_key="none", base_url=URL, http_client=client
    )
    planner = agent("planner", config)
    with serving():
        check_flat(
            lambda: lasting_loop.run_until_complete(planner.ask("hi")),
            AG2Instrumentor(),
            OpenAIInstrumentor(),
            loop=lasting_loop,
            turns=4_000,
        )
    lasting_loop.run_until_complete(client.aclose())
