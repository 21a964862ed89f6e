"""An application: a group of agents of classic AG2; a guardrail sends what must not go out to another one."""

# pyright: basic, reportMissingImports=false
# Classic AG2 is not installed where the other examples are checked.

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
    """Look a customer up."""
    time.sleep(0.2)
    return CUSTOMERS[name]


def agent(name: str, about: str, **more) -> ConversableAgent:
    """One of the group."""
    return ConversableAgent(name=name, system_message=about, llm_config=CONFIG, **more)


def group() -> DefaultPattern:
    """Who looks up hands over to who writes, and a guardrail to who writes again."""
    clerk = agent("Clerk", "You look customers up.", functions=[look_up])
    writer = agent("Writer", "You write to customers.")
    editor = agent("Editor", "You leave out what is private.")
    clerk.handoffs.set_after_work(AgentTarget(writer))
    editor.handoffs.set_after_work(TerminateTarget())
    writer.register_output_guardrail(
        RegexGuardrail(name="no_shouting", condition="[A-Z]{9}", target=AgentTarget(editor))
    )
    writer.register_output_guardrail(
        LLMGuardrail(
            name="no_addresses",
            condition="The text tells an address.",
            target=AgentTarget(editor),
            llm_config=CONFIG,
        )
    )
    user = ConversableAgent(name="User", human_input_mode="NEVER", llm_config=False)
    return DefaultPattern(initial_agent=clerk, agents=[clerk, writer, editor], user_agent=user)


if __name__ == "__main__":
    result, *_ = initiate_group_chat(
        pattern=group(), messages="Write to Ada, please.", max_rounds=12
    )
    print(result.chat_history[-1]["content"])
