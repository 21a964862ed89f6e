"""An agent of Microsoft's Agent Framework with a tool."""

# pyright: basic, reportMissingImports=false
# The framework is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio
import sys

from agent_framework import Agent, tool
from agent_framework.openai import OpenAIChatCompletionClient


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


async def main() -> None:
    """Answer the question on the command line."""
    agent = Agent(
        client=OpenAIChatCompletionClient(model="gpt-4o-mini"),
        name="weather",
        description="Knows the weather.",
        instructions="Answer in one sentence.",
        tools=[get_weather],
    )
    print((await agent.run(" ".join(sys.argv[1:]) or "How is the weather in Bern?")).text)


if __name__ == "__main__":
    asyncio.run(main())
