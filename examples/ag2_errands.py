"""An AG2 agent that calls five tools in parallel and then splits the rest into sub-tasks."""

# pyright: basic, reportMissingImports=false
# AG2 is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio
import os
import time

from ag2 import Agent, tool
from ag2.agent import TaskConfig
from ag2.config import OpenAIConfig

PRICES = {"train": 49}


@tool
def get_weather(city: str) -> str:
    """Get the weather forecast for a city."""
    time.sleep(0.05)
    return f"Friday in {city}: sunny, 21 degrees"


@tool
def get_price(vehicle: str) -> str:
    """Get the price of a ticket for a vehicle."""
    return f"{PRICES[vehicle]} francs"


def config() -> OpenAIConfig:
    """Return the model configuration of every agent."""
    base_url = os.environ.get("OPENAI_BASE_URL")
    return OpenAIConfig(model="gpt-4o-mini", base_url=base_url, max_retries=0)


@tool
def consult(subject: str) -> str:
    """Consult a legal expert."""
    expert = Agent("Expert", prompt="You are a legal expert.", config=config())
    return str(asyncio.run(expert.ask(subject)).body)


def errands() -> Agent:
    """Create the agent that the user talks to."""
    helper = Agent("Helper", prompt="You look things up.", config=config(), tools=[get_weather])
    return Agent(
        "Boss",
        prompt="You organize the user's day.",
        config=config(),
        tools=[
            get_weather,
            get_price,
            consult,
            helper.as_tool(name="ask_helper", description="Looks something up for you."),
        ],
        tasks=TaskConfig(),
    )


async def main() -> None:
    """Send one request and print the reply."""
    print((await errands().ask("Plan my Friday.")).body)


if __name__ == "__main__":
    asyncio.run(main())
