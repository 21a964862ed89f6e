"""An agent of Google's ADK with a tool, over a model of LiteLLM."""

# pyright: basic, reportMissingImports=false
# ADK is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio
import sys

from google.adk.agents import LlmAgent
from google.adk.models.lite_llm import LiteLlm
from google.adk.runners import InMemoryRunner
from google.genai import types


def get_weather(city: str) -> str:
    """Get the weather of a city."""
    return f"sunny in {city}"


async def main() -> None:
    """Answer the question on the command line."""
    agent = LlmAgent(
        name="weather",
        model=LiteLlm("openai/gpt-4o-mini"),
        description="Knows the weather.",
        instruction="Answer in one sentence.",
        tools=[get_weather],
    )
    runner = InMemoryRunner(agent=agent, app_name="shop")
    session = await runner.session_service.create_session(app_name="shop", user_id="ada")
    text = " ".join(sys.argv[1:]) or "How is the weather in Bern?"
    message = types.Content(role="user", parts=[types.Part(text=text)])
    events = runner.run_async(user_id="ada", session_id=session.id, new_message=message)
    async for event in events:
        if event.is_final_response():
            print(event.content.parts[0].text)


if __name__ == "__main__":
    asyncio.run(main())
