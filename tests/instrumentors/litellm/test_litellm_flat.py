"""Law 9: thousands of calls leave nothing behind."""

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

REQUEST: dict[str, Any] = {
    "model": "openai/gpt-4o-mini",
    "messages": MESSAGES,
    "api_base": URL,
    "api_key": "none",
    "max_retries": 0,
}


async def read() -> None:
    """Read a stream to its end."""
    async for _ in await litellm.acompletion(**REQUEST, stream=True):
        pass


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_calls_leave_nothing(
    lasting_loop: asyncio.AbstractEventLoop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A whole response, a stream that is read, one that is left; the first two in an event loop too."""
    monkeypatch.setattr(
        litellm, "disable_aiohttp_transport", True
    )  # the model is behind httpx here
    ways = itertools.cycle(
        [
            *[lambda: litellm.completion(**REQUEST)] * 6,  # the quickest
            lambda: list(litellm.completion(**REQUEST, stream=True)),
            lambda: next(iter(litellm.completion(**REQUEST, stream=True))),
            lambda: lasting_loop.run_until_complete(litellm.acompletion(**REQUEST)),
            lambda: lasting_loop.run_until_complete(read()),
        ]
    )
    with serving():
        instrumentors = LiteLLMInstrumentor(), OpenAIInstrumentor()
        check_flat(lambda: next(ways)(), *instrumentors, loop=lasting_loop, turns=4_000)
