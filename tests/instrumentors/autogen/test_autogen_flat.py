"""Law 9: thousands of turns leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from importlib import import_module
from typing import Any

import pytest
from autogen_teams import assistant, round_robin, token
from flatness import check_flat
from in_process_model import URL, serving

from otel_agents.instrumentors.autogen import AutoGenInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor

_EACH = 10
"""A team takes twice the time of an agent."""


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_turns_leave_nothing(lasting_loop: asyncio.AbstractEventLoop) -> None:
    clients: Any = import_module("autogen_ext.models.openai")
    client = clients.OpenAIChatCompletionClient(model="gpt-4o-mini", base_url=URL, api_key="none")
    alone, team = assistant("alone", client), round_robin(assistant("member", client), turns=1)
    numbers = itertools.count()

    async def turn() -> None:
        """Create an agent each time, as an agent keeps its conversation."""
        if next(numbers) % _EACH:
            await alone.run(task="hi")
            await alone.on_reset(token())
        else:
            await team.run(task="hi")
            await team.reset()

    with serving():
        check_flat(
            lambda: lasting_loop.run_until_complete(turn()),
            AutoGenInstrumentor(),
            OpenAIInstrumentor(),
            loop=lasting_loop,
            turns=4_000,
        )
    lasting_loop.run_until_complete(client.close())
