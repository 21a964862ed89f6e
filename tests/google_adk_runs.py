"""Ways to run an agent of Google's ADK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import Any

from google.adk.agents import LlmAgent, run_config
from google.adk.models.google_llm import Gemini
from google.adk.models.lite_llm import LiteLlm
from google.adk.models.llm_response import LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["WAYS", "fallback", "left", "litellm", "run", "swallowed"]


def weather(city: str) -> str:
    """Look the weather up."""
    return "Sunny."


def litellm(model: ScriptedModel, **options: Any) -> Any:
    """Return a model that is called through LiteLLM."""
    to = {"api_base": model.openai_url, "api_key": "none", "num_retries": 0}
    return LiteLlm(model="openai/gpt-4o-mini", **to, **options)


def _gemini(model: ScriptedModel) -> Any:
    return Gemini(model="gemini-2.0-flash")  # its URL is in the environment


async def run(
    of: Any,
    mode: str,
    *,
    items: int | None = None,
    tools: Sequence[Any] = (weather,),
    **options: Any,
) -> None:
    """Run an agent of the model ``of``, and read ``items`` of what it emits."""
    agent = LlmAgent(name="planner", model=of, tools=list(tools), **options)
    runner = InMemoryRunner(agent, app_name="app")
    session = await runner.session_service.create_session(app_name="app", user_id="u-1")
    message = types.Content(role="user", parts=[types.Part(text="How is the weather in Bern?")])
    modes: Any = vars(run_config)["StreamingMode"]
    config = run_config.RunConfig(streaming_mode=modes[mode])
    async for _ in runner.run_async(
        user_id="u-1", session_id=session.id, new_message=message, run_config=config
    ):
        if items is not None:
            break


def _way(of: Callable[[ScriptedModel], Any], mode: str) -> Callable[[ScriptedModel], None]:
    return lambda model: asyncio.run(run(of(model), mode))


def left(model: ScriptedModel) -> None:
    """Leave a stream after its first item."""
    asyncio.run(run(litellm(model), "SSE", items=1))


def fallback(model: ScriptedModel) -> None:
    """Have LiteLLM call another model where one fails."""
    asyncio.run(run(litellm(model, fallbacks=["openai/gpt-4o"]), "NONE"))


def swallowed(model: ScriptedModel) -> None:
    """Respond in place of a model that fails."""
    text = types.Content(role="model", parts=[types.Part(text="Later.")])

    def respond(**_: object) -> LlmResponse:
        return LlmResponse(content=text)

    asyncio.run(run(litellm(model), "NONE", on_model_error_callback=respond))


WAYS = {
    "LiteLLM": _way(litellm, "NONE"),
    "LiteLLM, streamed": _way(litellm, "SSE"),
    "Gemini": _way(_gemini, "NONE"),
    "Gemini, streamed": _way(_gemini, "SSE"),
}
