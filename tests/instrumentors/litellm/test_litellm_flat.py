"""Law 9: ten thousand questions leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from typing import Any

import pytest
from flatness import check_flat
from in_process_model import URL, serving
from litellm_calls import MESSAGES, litellm

from otel_agents.instrumentors.litellm import LiteLLMInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor

QUESTION: dict[str, Any] = {
    "model": "openai/gpt-4o-mini",
    "messages": MESSAGES,
    "api_base": URL,
    "api_key": "none",
    "max_retries": 0,
}


async def read() -> None:
    """A stream, to its end."""
    async for _ in await litellm.acompletion(**QUESTION, stream=True):
        pass


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_questions_leave_nothing(
    lasting_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole answer, a stream that is read, one that is left; the first two in a loop too."""
    monkeypatch.setattr(litellm, "disable_aiohttp_transport", True)  # httpx is what answers here
    ways = itertools.cycle(
        [
            *[lambda: litellm.completion(**QUESTION)] * 6,  # the quickest
            lambda: list(litellm.completion(**QUESTION, stream=True)),
            lambda: next(iter(litellm.completion(**QUESTION, stream=True))),
            lambda: lasting_loop.run_until_complete(litellm.acompletion(**QUESTION)),
            lambda: lasting_loop.run_until_complete(read()),
        ]
    )
    with serving():
        check_flat(
            lambda: next(ways)(), LiteLLMInstrumentor(), OpenAIInstrumentor(), loop=lasting_loop
        )
