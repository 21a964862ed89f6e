"""Ways to run an agent of Microsoft Agent Framework."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Callable, Sequence
from typing import Any

from agent_framework import Agent
from agent_framework.openai import (
    OpenAIChatClient,
    OpenAIChatCompletionClient,
    OpenAIEmbeddingClient,
)
from openai import AsyncOpenAI

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["WAYS", "agent", "embedded", "left", "streamed"]


def weather(city: str) -> str:
    """Look the weather up."""
    return "Sunny."


def agent(model: ScriptedModel, kind: Callable[..., Any], tools: Sequence[Any] = (weather,)) -> Any:
    """Return an agent whose chat client is of ``kind``."""
    sdk = AsyncOpenAI(base_url=model.openai_url, api_key="none", max_retries=0)
    client = kind(model="gpt-4o-mini", async_client=sdk)
    return Agent(client=client, name="Planner", tools=list(tools))


def _whole(model: ScriptedModel, kind: Callable[..., Any]) -> None:
    async def run() -> None:
        await agent(model, kind).run("How is the weather in Bern?")

    asyncio.run(run())


def _streamed(model: ScriptedModel, kind: Callable[..., Any]) -> None:
    async def run() -> None:
        async for _ in agent(model, kind).run("How is the weather in Bern?", stream=True):
            pass

    asyncio.run(run())


def streamed(model: ScriptedModel) -> None:
    """Stream chat completions."""
    _streamed(model, OpenAIChatCompletionClient)


def left(model: ScriptedModel) -> None:
    """Leave a stream after its first item."""

    async def run() -> None:
        async for _ in agent(model, OpenAIChatCompletionClient).run("Hello.", stream=True):
            break
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(run())
    gc.collect()


def embedded(model: ScriptedModel) -> None:
    """Embed two texts."""
    sdk = AsyncOpenAI(base_url=model.openai_url, api_key="none", max_retries=0)
    client = OpenAIEmbeddingClient(model="text-embedding-3-small", async_client=sdk)

    async def run() -> None:
        await client.get_embeddings(["Bern", "Basel"])

    asyncio.run(run())


WAYS: dict[str, Callable[[ScriptedModel], object]] = {
    "completions": lambda model: _whole(model, OpenAIChatCompletionClient),
    "responses": lambda model: _whole(model, OpenAIChatClient),
    "streamed completions": streamed,
    "streamed responses": lambda model: _streamed(model, OpenAIChatClient),
}
