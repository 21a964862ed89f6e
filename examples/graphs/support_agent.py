"""A support agent with two tools: a person approves a refund before it is paid."""

# pyright: basic, reportMissingImports=false
# LangChain is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain.chat_models import init_chat_model
from langchain.tools import tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.types import Command


@tool
def find_order(number: str) -> str:
    """Find an order by its number."""
    return f"Order {number}: a kettle, 39 francs, delivered broken."


@tool
def refund(number: str, francs: int) -> str:
    """Refund an order."""
    return f"{francs} francs of order {number} were refunded."


def decide(action: dict) -> dict[str, str]:
    """Let the person at the terminal approve or reject a call of a tool."""
    approved = input(f"{action['name']} {action['args']}? ") == "y"
    return {"type": "approve" if approved else "reject"}


def main() -> None:
    """Handle one request of a customer."""
    agent = create_agent(
        init_chat_model("openai:gpt-4o-mini"),
        [find_order, refund],
        system_prompt="You are the support of a shop. Look an order up before you refund it.",
        middleware=[HumanInTheLoopMiddleware({"refund": True})],
        checkpointer=InMemorySaver(),
        name="support",
    )
    request = {"role": "user", "content": "My kettle of order 1042 is broken."}
    thread = {"configurable": {"thread_id": "order-1042"}}
    state = agent.invoke({"messages": [request]}, thread)
    while "__interrupt__" in state:
        actions = state["__interrupt__"][0].value["action_requests"]
        decisions = [decide(action) for action in actions]
        state = agent.invoke(Command(resume={"decisions": decisions}), thread)
    print(state["messages"][-1].text)


if __name__ == "__main__":
    main()
