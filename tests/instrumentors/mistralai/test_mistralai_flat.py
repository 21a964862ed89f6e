"""Law 9: thousands of requests of the SDK leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import pytest
from flatness import check_flat
from in_process_model import URL, serving
from mistral_calls import MESSAGES, VERSION, connect

from otel_agents.instrumentors.mistralai import MistralAIInstrumentor

REQUEST: dict[str, Any] = {"model": "m", "messages": MESSAGES}


def requests(client: Any) -> list[Callable[[], object]]:
    """A whole response, a stream that is read, one that is left."""
    return [
        lambda: client.chat.complete(**REQUEST),
        lambda: list(client.chat.stream(**REQUEST)),
        lambda: next(iter(client.chat.stream(**REQUEST))),
    ]


def asynchronous_requests(client: Any, run: Callable[[Any], object]) -> list[Callable[[], object]]:
    """The same, in one loop."""

    async def read() -> None:
        async for _ in await client.chat.stream_async(**REQUEST):
            pass

    async def left() -> None:
        async for _ in await client.chat.stream_async(**REQUEST):
            break

    return [
        lambda: run(client.chat.complete_async(**REQUEST)),
        lambda: run(read()),
        lambda: run(left()),
    ]


@pytest.mark.skipif(VERSION < (3, 0), reason="once is enough: nothing of it is a version's")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_requests_leave_nothing(lasting_loop: asyncio.AbstractEventLoop) -> None:
    with serving():
        client = connect(URL.removesuffix("/v1"))
        ways = itertools.cycle(
            requests(client) + asynchronous_requests(client, lasting_loop.run_until_complete)
        )
        check_flat(lambda: next(ways)(), MistralAIInstrumentor(), loop=lasting_loop, turns=1_500)
