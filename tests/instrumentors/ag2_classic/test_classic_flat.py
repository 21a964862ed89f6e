"""Law 9: thousands of chats leak no memory."""

from __future__ import annotations

import pytest
from conversations import autogen, executor, talk
from flatness import check_flat
from in_process_model import URL, serving

from otel_agents.instrumentors.ag2_classic import AG2ClassicInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_chats_leak_nothing() -> None:
    entry = {"model": "gpt-4o-mini", "api_key": "none", "base_url": URL}
    assistant = autogen.ConversableAgent(
        "assistant",
        llm_config={"config_list": [entry], "cache_seed": None},
        human_input_mode="NEVER",
    )
    user = executor()
    with serving():
        check_flat(
            lambda: talk(user, assistant, max_turns=1),
            AG2ClassicInstrumentor(),
            OpenAIInstrumentor(),
            turns=4_000,
        )
