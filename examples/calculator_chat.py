"""A classic AG2 chat: an assistant calls a calculator tool, which the user agent executes."""

# pyright: basic, reportMissingImports=false
# Classic AG2 is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import os
from typing import Annotated, Literal

from autogen import ConversableAgent, register_function

CONFIG = {
    "config_list": [
        {
            "model": "gpt-4o-mini",
            "api_key": os.environ["OPENAI_API_KEY"],
            "base_url": os.environ.get("OPENAI_BASE_URL"),
        }
    ],
    "cache_seed": None,
}


def calculator(
    a: Annotated[float, "the first operand"],
    b: Annotated[float, "the second operand"],
    operator: Annotated[Literal["+", "-", "*", "/"], "the operator"],
) -> float:
    """Apply an operator to two numbers."""
    match operator:
        case "+":
            return a + b
        case "-":
            return a - b
        case "*":
            return a * b
        case "/":
            return a / b


def is_final(message: dict[str, str]) -> bool:
    """Return whether the assistant has completed the task."""
    return "TERMINATE" in (message.get("content") or "")


assistant = ConversableAgent(
    name="Assistant",
    system_message="You help with simple calculations. Return TERMINATE when the task is done.",
    llm_config=CONFIG,
)
user = ConversableAgent(
    name="User", llm_config=False, is_termination_msg=is_final, human_input_mode="NEVER"
)
register_function(
    calculator,
    caller=assistant,
    executor=user,
    name="calculator",
    description="A simple calculator.",
)

if __name__ == "__main__":
    result = user.initiate_chat(
        assistant, message="What is (44232 + 13312 / (232 - 32)) * 5?", silent=True
    )
    print(result.summary)
