"""An application: an AG2 agent plans a trip; another, which it has as a tool, looks things up."""

# pyright: basic, reportMissingImports=false
# AG2 is not installed where the other examples are checked.

from __future__ import annotations

import asyncio
import os

from ag2 import Agent, tool
from ag2.config import OpenAIConfig

STATIONS = ("Milano", "Bern")


@tool
def get_weather(city: str) -> str:
    """Tell the weather of a city."""
    return f"Friday in {city}: sunny, 21 degrees"


@tool
async def find_trains(origin: str, destination: str) -> str:
    """Find trains between two stations."""
    if origin not in STATIONS:
        raise LookupError(f"no station {origin}")
    return f"{origin} 09:25, {destination} 12:23"


def planner() -> Agent:
    """The agent that people talk to."""
    config = OpenAIConfig(model="gpt-4o-mini", base_url=os.environ.get("OPENAI_BASE_URL"))
    scout = Agent(
        "Scout",
        prompt="You know every timetable, and the weather.",
        config=config,
        tools=[get_weather, find_trains],
    )
    looks = scout.as_tool(name="ask_scout", description="Looks up trains and the weather.")
    return Agent("Planner", prompt="Tell people how to travel.", config=config, tools=[looks])


async def main() -> None:
    """Ask, ask again, and print the answers."""
    reply = await planner().ask(
        "How do I get from Milan to Bern on Friday, and what weather is there?"
    )
    print(reply.body)
    reply = await reply.ask("What should I pack?")
    print(reply.body)


if __name__ == "__main__":
    asyncio.run(main())
