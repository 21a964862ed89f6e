"""Law 9: thousands of turns leave nothing behind."""

from __future__ import annotations

import itertools
import sys

import pytest
from crews import agent, crew, crewai, task, tool
from flatness import check_flat
from in_process_model import URL, serving

from otel_agents.instrumentors.crewai import CrewAIInstrumentor
from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor

_FILLED = 300
"""After this many runs CrewAI's table of its last 256 event handlers is full."""
_EACH = 20


@tool
def calculate(terms: str) -> str:
    """Calculate."""
    return terms


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_turns_leave_nothing() -> None:
    """A crew itself takes 20 ms for a run, so most turns are a model call or a tool call."""
    llm = crewai.LLM(model="gpt-4o-mini", base_url=URL, api_key="none")
    reporter, numbers = agent(llm, "reporter"), itertools.count()

    # Handlers of events run in threads, and hold what they handle.
    bus = getattr(sys.modules.get("crewai.events"), "crewai_event_bus", None)
    wait = getattr(bus, "flush", lambda: None)

    def turn() -> None:
        number = next(numbers)
        if number < _FILLED or number % _EACH == 0:
            crew(task(reporter)).kickoff()
        elif number % 2:
            llm.call("hi")
        else:
            calculate.run(terms="1+1")
        wait()

    with serving():
        instrumentors = CrewAIInstrumentor(), LiteLLMInstrumentor(), OpenAIInstrumentor()
        check_flat(turn, *instrumentors, turns=4_000)
