"""A classic AG2 group chat whose guardrails hand a message with private data to an editor."""

# pyright: basic, reportMissingImports=false
# Classic AG2 is not installed in the environment in which the examples are type-checked.

from __future__ import annotations

import os
import time

from autogen import ConversableAgent, LLMConfig
from autogen.agentchat import initiate_group_chat
from autogen.agentchat.group import AgentTarget, TerminateTarget
from autogen.agentchat.group.guardrails import LLMGuardrail, RegexGuardrail
from autogen.agentchat.group.patterns import DefaultPattern

CONFIG = LLMConfig(
    {
        "model": "gpt-4o-mini",
        "api_key": os.environ["OPENAI_API_KEY"],
        "base_url": os.environ.get("OPENAI_BASE_URL"),
    },
    cache_seed=None,
)
CUSTOMERS = {"Ada": "ada@example.org"}


def look_up(name: str) -> str:
    """Look up the e-mail address of a customer."""
    time.sleep(0.2)
    return CUSTOMERS[name]


def agent(name: str, system_message: str, **options) -> ConversableAgent:
    """Create an agent of the group."""
    return ConversableAgent(name=name, system_message=system_message, llm_config=CONFIG, **options)


def group() -> DefaultPattern:
    """Create the group: clerk, then writer, and the editor where a guardrail of the writer fails."""
    clerk = agent("Clerk", "You look up customers.", functions=[look_up])
    writer = agent("Writer", "You write letters to customers.")
    editor = agent("Editor", "You remove private data from letters.")
    clerk.handoffs.set_after_work(AgentTarget(writer))
    editor.handoffs.set_after_work(TerminateTarget())
    writer.register_output_guardrail(
        RegexGuardrail(name="no_shouting", condition="[A-Z]{9}", target=AgentTarget(editor))
    )
    writer.register_output_guardrail(
        LLMGuardrail(
            name="no_addresses",
            condition="The text contains an e-mail address.",
            target=AgentTarget(editor),
            llm_config=CONFIG,
        )
    )
    user = ConversableAgent(name="User", human_input_mode="NEVER", llm_config=False)
    return DefaultPattern(initial_agent=clerk, agents=[clerk, writer, editor], user_agent=user)


if __name__ == "__main__":
    result, *_ = initiate_group_chat(
        pattern=group(), messages="Please write a letter to Ada.", max_rounds=12
    )
    print(result.chat_history[-1]["content"])
