"""A Pydantic AI agent with a tool."""

# pyright: basic, reportMissingImports=false
# Pydantic AI is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import sys

from pydantic_ai import Agent

agent = Agent("openai:gpt-4o-mini", name="weather", system_prompt="Answer in one sentence.")


@agent.tool_plain
def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


def main() -> None:
    """Answer the question on the command line."""
    print(agent.run_sync(" ".join(sys.argv[1:]) or "How is the weather in Bern?").output)


if __name__ == "__main__":
    main()
