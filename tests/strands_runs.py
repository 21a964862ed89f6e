"""Ways to run an agent of Strands."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Sequence
from typing import Any

import strands
from strands.models.openai import OpenAIModel

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["WAYS", "agent", "left", "litellm", "streamed", "structured"]


def _weather() -> Any:
    tool: Any = vars(strands)["tool"]

    @tool
    def weather(city: str) -> str:
        """Look the weather up."""
        return "Sunny."

    return weather


def agent(model: ScriptedModel, of: Any = None, tools: Sequence[Any] = ()) -> Any:
    """Return an agent; by default it has a tool of its own."""
    options = {"base_url": model.openai_url, "api_key": "none", "max_retries": 0}
    of = of or OpenAIModel(client_args=options, model_id="gpt-4o-mini")
    return strands.Agent(model=of, tools=list(tools) or [_weather()], callback_handler=None)


def _called(model: ScriptedModel) -> None:
    agent(model)("How is the weather in Bern?")


def streamed(model: ScriptedModel) -> None:
    """Stream a run."""

    async def run() -> None:
        async for _ in agent(model).stream_async("How is the weather in Bern?"):
            pass

    asyncio.run(run())


def litellm(model: ScriptedModel) -> None:
    """Run an agent whose model is called through LiteLLM."""
    from strands.models.litellm import LiteLLMModel

    options = {"api_base": model.openai_url, "api_key": "none"}
    of = LiteLLMModel(client_args=options, model_id="openai/gpt-4o-mini")
    agent(model, of)("How is the weather in Bern?")


def left(model: ScriptedModel) -> None:
    """Leave a stream after its first text."""

    async def run() -> None:
        async for event in agent(model).stream_async("Hello."):
            if "data" in event:
                break
        gc.collect()
        await asyncio.sleep(0)

    asyncio.run(run())
    gc.collect()


def structured(model: ScriptedModel) -> None:
    """Have the model fill a structure, for which the framework has no span of the call."""
    from pydantic import BaseModel

    class City(BaseModel):
        name: str

    agent(model).structured_output(City, "Which city?")


WAYS = {"called": _called, "streamed": streamed}
