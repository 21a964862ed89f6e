"""A Strands agent with a tool."""

# pyright: basic, reportMissingImports=false
# Strands is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import sys

from strands import Agent, tool
from strands.models.openai import OpenAIModel


@tool
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


def main() -> None:
    """Answer the question on the command line."""
    agent = Agent(
        model=OpenAIModel(model_id="gpt-4o-mini"),
        tools=[get_weather],
        system_prompt="Answer in one sentence.",
        callback_handler=None,
    )
    print(agent(" ".join(sys.argv[1:]) or "How is the weather in Bern?"))


if __name__ == "__main__":
    main()
