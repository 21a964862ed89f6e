"""A workflow of two agents: one takes the order, and hands over to the one that packs it."""

# pyright: basic, reportMissingImports=false
# LlamaIndex is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import asyncio
import sys

from llama_index.core.agent.workflow import AgentWorkflow, FunctionAgent
from llama_index.core.memory import Memory
from llama_index.llms.openai import OpenAI


def find_order(number: str) -> str:
    """Find an order by its number."""
    return f"Order {number}: a kettle."


def pack(item: str) -> str:
    """Pack an item."""
    return f"The {item} is packed."


def shop() -> AgentWorkflow:
    """Return the two agents."""
    llm = OpenAI(model="gpt-4o-mini")
    clerk = FunctionAgent(
        name="clerk",
        description="Finds orders.",
        system_prompt="You find the order. Then hand over to the packer.",
        tools=[find_order],
        can_handoff_to=["packer"],
        llm=llm,
    )
    packer = FunctionAgent(
        name="packer",
        description="Packs items.",
        system_prompt="You pack the item.",
        tools=[pack],
        can_handoff_to=["clerk"],
        llm=llm,
    )
    return AgentWorkflow(agents=[clerk, packer], root_agent="clerk", workflow_name="shop")


async def main() -> None:
    """Handle one order."""
    message = " ".join(sys.argv[1:]) or "Please send order 17."
    memory = Memory.from_defaults(session_id="order-17")
    print(await shop().run(user_msg=message, memory=memory))


if __name__ == "__main__":
    asyncio.run(main())
