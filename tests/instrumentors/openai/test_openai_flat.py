"""Law 9: thousands of requests of the SDK leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import openai
import pytest
from flatness import check_flat
from in_process_model import URL, serving
from openai_calls import CALLS, VERSION, Call

from otel_agents.instrumentors.openai import OpenAIInstrumentor

CHATS = [call for call in CALLS if call.name in ("chat", "responses")]


def requests(client: Any) -> list[Callable[[], object]]:
    """A whole response, a stream that is read, one that is left."""
    return [
        way
        for call in CHATS
        for way in (
            lambda call=call: call.of(client)(**call.arguments),
            lambda call=call: list(call.of(client)(**call.stream_arguments())),
            lambda call=call: next(iter(call.of(client)(**call.stream_arguments()))),
        )
    ]


def asynchronous_requests(client: Any, run: Callable[[Any], object]) -> list[Callable[[], object]]:
    """The same, in one loop."""

    async def whole(call: Call) -> None:
        await call.of(client)(**call.arguments)

    async def read(call: Call) -> None:
        async for _ in await call.of(client)(**call.stream_arguments()):
            pass

    async def left(call: Call) -> None:
        async for _ in await call.of(client)(**call.stream_arguments()):
            break

    return [
        lambda call=call, way=way: run(way(call)) for call in CHATS for way in (whole, read, left)
    ]


@pytest.mark.skipif(VERSION < (3, 0), reason="once is enough: nothing of it is a version's")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_requests_leave_nothing(lasting_loop: asyncio.AbstractEventLoop) -> None:
    known: dict[str, Any] = {"base_url": URL, "api_key": "none", "max_retries": 0}
    with serving(), openai.OpenAI(**known) as client:
        aclient = openai.AsyncOpenAI(**known)
        ways = itertools.cycle(
            requests(client) + asynchronous_requests(aclient, lasting_loop.run_until_complete)
        )
        check_flat(lambda: next(ways)(), OpenAIInstrumentor(), loop=lasting_loop, turns=4_000)
        lasting_loop.run_until_complete(aclient.close())
