"""Ways to run an agent of Pydantic AI."""

from __future__ import annotations

import asyncio
from typing import Any

from openai import AsyncOpenAI

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["WAYS", "chat_model", "embedded", "fallback", "left", "streamed"]


def weather(city: str) -> str:
    """Look the weather up."""
    return "Sunny."


def chat_model(model: ScriptedModel, name: str = "gpt-4o-mini") -> Any:
    """Return a model of the installed version; importing an old one warns."""
    from pydantic_ai.models import openai as models

    kind: Any = getattr(models, "OpenAIChatModel", None) or vars(models)["OpenAIModel"]
    sdk = AsyncOpenAI(base_url=model.openai_url, api_key="none", max_retries=0)
    try:
        from pydantic_ai.providers.openai import OpenAIProvider
    except ImportError:  # before 0.0.36
        return kind(name, openai_client=sdk)
    return kind(name, provider=OpenAIProvider(openai_client=sdk))


def _agent(of: Any) -> Any:
    from pydantic_ai import Agent

    agent: Any = Agent(of, name="planner", tools=[weather])
    agent.instrument = True  # an argument up to 1.x
    return agent


def _run(model: ScriptedModel) -> None:
    asyncio.run(_agent(chat_model(model)).run("How is the weather in Bern?"))


def _run_sync(model: ScriptedModel) -> None:
    _agent(chat_model(model)).run_sync("How is the weather in Bern?")


def streamed(model: ScriptedModel) -> None:
    """Stream a run."""

    async def run() -> None:
        async with _agent(chat_model(model)).run_stream("How is the weather in Bern?") as result:
            async for _ in result.stream_text():
                pass

    asyncio.run(run())


def left(model: ScriptedModel) -> None:
    """Leave a stream after its first item."""

    async def run() -> None:
        async with _agent(chat_model(model)).run_stream("Hello.") as result:
            async for _ in result.stream_text(delta=True):
                break

    asyncio.run(run())


def fallback(model: ScriptedModel) -> None:
    """Run an agent with a model and another one for when that fails."""
    from pydantic_ai.models.fallback import FallbackModel

    both = FallbackModel(chat_model(model, "gpt-4o"), chat_model(model))
    asyncio.run(_agent(both).run("How is the weather in Bern?"))


def embedded(model: ScriptedModel) -> None:
    """Embed two texts."""
    from pydantic_ai.embeddings import Embedder
    from pydantic_ai.embeddings.openai import OpenAIEmbeddingModel
    from pydantic_ai.providers.openai import OpenAIProvider

    sdk = AsyncOpenAI(base_url=model.openai_url, api_key="none", max_retries=0)
    provider = OpenAIProvider(openai_client=sdk)
    embedder = Embedder(
        OpenAIEmbeddingModel("text-embedding-3-small", provider=provider), instrument=True
    )
    asyncio.run(embedder.embed_documents(["Bern", "Basel"]))


WAYS = {"run": _run, "run_sync": _run_sync, "run_stream": streamed}
