"""Agents of before workflows, which are chat engines."""

from __future__ import annotations

import asyncio
from importlib import import_module
from typing import Any

import pytest
from llama_index_parts import CHAT, CHATS, add, join_writers

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop


@pytest.mark.parametrize("way", CHATS.values(), ids=CHATS)
def test_an_agent_is_its_calls_of_models_and_tools(
    way: Any, llm: Any, loop: Loop, emission: Emission
) -> None:
    agents: Any = import_module("llama_index.agent.openai")
    way(agents.OpenAIAgent.from_tools([add], llm=llm), loop)
    join_writers()
    assert emission.tree() == ["invoke_agent", f"  {CHAT}", "  execute_tool add", f"  {CHAT}"]
    assert emission.traces() == 1
