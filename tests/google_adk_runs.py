"""Ways to run an agent of Google's ADK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from google.adk.agents import LlmAgent
from google.adk.agents.run_config import RunConfig, StreamingMode
from google.adk.models.google_llm import Gemini
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["WAYS", "left"]


def weather(city: str) -> str:
    """Look the weather up."""
    return "Sunny."


def _litellm(model: ScriptedModel) -> Any:
    return LiteLlm(
        model="openai/gpt-4o-mini", api_base=model.openai_url, api_key="none", num_retries=0
    )


def _gemini(model: ScriptedModel) -> Any:
    return Gemini(model="gemini-2.0-flash")  # its URL is in the environment


async def _run(of: Any, mode: StreamingMode, *, items: int | None = None) -> None:
    runner = InMemoryRunner(LlmAgent(name="planner", model=of, tools=[weather]), app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="u-1")
    message = types.Content(role="user", parts=[types.Part(text="How is the weather in Bern?")])
    config = RunConfig(streaming_mode=mode)
    async for _ in runner.run_async(
        user_id="u-1", session_id=session.id, new_message=message, run_config=config
    ):
        if items is not None:
            break


def _way(of: Callable[[ScriptedModel], Any], mode: StreamingMode) -> Callable[[ScriptedModel], None]:
    return lambda model: asyncio.run(_run(of(model), mode))


def left(model: ScriptedModel) -> None:
    """Leave a stream after its first item."""
    asyncio.run(_run(_litellm(model), StreamingMode.SSE, items=1))


WAYS = {
    "LiteLLM": _way(_litellm, StreamingMode.NONE),
    "LiteLLM, streamed": _way(_litellm, StreamingMode.SSE),
    "Gemini": _way(_gemini, StreamingMode.NONE),
    "Gemini, streamed": _way(_gemini, StreamingMode.SSE),
}
