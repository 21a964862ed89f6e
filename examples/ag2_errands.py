"""An application: an AG2 agent that has five things done at once, and then splits up the rest."""

# pyright: basic, reportMissingImports=false
# AG2 is not installed where the other examples are checked.

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
    """Tell the weather of a city."""
    time.sleep(0.05)
    return f"Friday in {city}: sunny, 21 degrees"


@tool
def get_price(ticket: str) -> str:
    """Tell the price of a ticket."""
    return f"{PRICES[ticket]} francs"


def config() -> OpenAIConfig:
    """How every agent asks."""
    base_url = os.environ.get("OPENAI_BASE_URL")
    return OpenAIConfig(model="gpt-4o-mini", base_url=base_url, max_retries=0)


@tool
def consult(question: str) -> str:
    """Ask somebody who knows, with an event loop of its own."""
    expert = Agent("Expert", prompt="You know the law.", config=config())
    return str(asyncio.run(expert.ask(question)).body)


def errands() -> Agent:
    """The agent that people talk to."""
    helper = Agent("Helper", prompt="You look up.", config=config(), tools=[get_weather])
    return Agent(
        "Boss",
        prompt="You have things done.",
        config=config(),
        tools=[
            get_weather,
            get_price,
            consult,
            helper.as_tool(name="ask_helper", description="Looks something up."),
        ],
        tasks=TaskConfig(),
    )


async def main() -> None:
    """Ask, and print the answer."""
    print((await errands().ask("Plan my Friday.")).body)


if __name__ == "__main__":
    asyncio.run(main())
