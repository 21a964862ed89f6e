"""Law 9: ten thousand requests of the SDK leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import groq
import pytest
from flatness import check_flat
from groq_calls import chat
from in_process_model import URL, serving

from otel_agents.instrumentors.groq import GroqInstrumentor


def requests(client: Any) -> list[Callable[[], object]]:
    """A whole response, a stream that is read, one that is left."""
    return [
        lambda: chat(client),
        lambda: list(chat(client, stream=True)),
        lambda: next(iter(chat(client, stream=True))),
    ]


def asynchronous_requests(client: Any, run: Callable[[Any], object]) -> list[Callable[[], object]]:
    """The same, in one loop."""

    async def whole() -> None:
        await chat(client)

    async def read() -> None:
        async for _ in await chat(client, stream=True):
            pass

    async def left() -> None:
        async for _ in await chat(client, stream=True):
            break

    return [lambda way=way: run(way()) for way in (whole, read, left)]


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_requests_leave_nothing(lasting_loop: asyncio.AbstractEventLoop) -> None:
    known: dict[str, Any] = {"base_url": URL, "api_key": "none", "max_retries": 0}
    with serving(), groq.Groq(**known) as client:
        aclient = groq.AsyncGroq(**known)
        ways = itertools.cycle(
            requests(client) + asynchronous_requests(aclient, lasting_loop.run_until_complete)
        )
        check_flat(lambda: next(ways)(), GroqInstrumentor(), loop=lasting_loop, turns=4_000)
        lasting_loop.run_until_complete(aclient.close())
