"""An AutoGen swarm: a scout finds a train and hands off to a writer."""

# pyright: basic, reportMissingImports=false
# AutoGen is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio

from autogen_agentchat.agents import AssistantAgent
from autogen_agentchat.conditions import TextMentionTermination
from autogen_agentchat.teams import Swarm
from autogen_ext.models.openai import OpenAIChatCompletionClient


async def find_trains(origin: str, destination: str) -> str:
    """Find trains between two stations."""
    return f"{origin} 09:25, {destination} 12:23"


async def main() -> None:
    """Run the team on one task and print its result."""
    client = OpenAIChatCompletionClient(model="gpt-4o-mini")
    scout = AssistantAgent(
        "scout",
        client,
        tools=[find_trains],
        handoffs=["writer"],
        system_message="Find a train, then hand off to the writer.",
    )
    writer = AssistantAgent(
        "writer",
        client,
        system_message="Tell the traveller in one sentence how to get there. End with DONE.",
    )
    team = Swarm([scout, writer], termination_condition=TextMentionTermination("DONE"))
    result = await team.run(task="How do I get from Milano to Bern?")
    print(result.messages[-1].content)
    await client.close()


if __name__ == "__main__":
    asyncio.run(main())
