"""An AG2 agent that plans a trip, with a second agent as a tool for timetables and weather."""

# pyright: basic, reportMissingImports=false
# AG2 is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio
import os

from ag2 import Agent, tool
from ag2.config import OpenAIConfig

STATIONS = ("Milano", "Bern")


@tool
def get_weather(city: str) -> str:
    """Get the weather forecast for a city."""
    return f"Friday in {city}: sunny, 21 degrees"


@tool
async def find_trains(origin: str, destination: str) -> str:
    """Find trains between two stations."""
    if origin not in STATIONS:
        raise LookupError(f"no station {origin}")
    return f"{origin} 09:25, {destination} 12:23"


def planner() -> Agent:
    """Create the agent that the user talks to."""
    config = OpenAIConfig(model="gpt-4o-mini", base_url=os.environ.get("OPENAI_BASE_URL"))
    scout = Agent(
        "Scout",
        prompt="You look up trains and the weather.",
        config=config,
        tools=[get_weather, find_trains],
    )
    lookup = scout.as_tool(name="ask_scout", description="Looks up trains and the weather.")
    return Agent("Planner", prompt="You plan trips by train.", config=config, tools=[lookup])


async def main() -> None:
    """Send two requests of one conversation and print the replies."""
    reply = await planner().ask(
        "How do I get from Milan to Bern on Friday, and what will the weather be like?"
    )
    print(reply.body)
    reply = await reply.ask("What should I pack?")
    print(reply.body)


if __name__ == "__main__":
    asyncio.run(main())
