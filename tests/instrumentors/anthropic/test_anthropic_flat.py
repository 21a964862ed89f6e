"""Law 9: ten thousand requests of the SDK leave nothing behind."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from anthropic_calls import MESSAGES, VERSION
from flatness import check_flat
from in_process_model import serving

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor

REQUEST: dict[str, Any] = {"model": "claude-4", "max_tokens": 9, "messages": MESSAGES}
STREAM: dict[str, Any] = {**REQUEST, "stream": True}


def requests(client: Any) -> list[Callable[[], object]]:
    """A whole response, a stream that is read, one that is left, one read by the helper."""
    create = client.messages.create

    def helped() -> None:
        with client.messages.stream(**REQUEST) as events:
            events.until_done()

    def run() -> None:
        client.beta.messages.tool_runner(**REQUEST, tools=[]).until_done()

    def leave() -> None:
        next(client.beta.messages.tool_runner(**REQUEST, tools=[]))

    return [
        run,
        leave,
        lambda: create(**REQUEST),
        lambda: list(create(**STREAM)),
        lambda: next(iter(create(**STREAM))),
        helped,
    ]


def asynchronous_requests(client: Any, run: Callable[[Any], object]) -> list[Callable[[], object]]:
    """The same, in one loop."""
    create = client.messages.create

    async def whole() -> None:
        await create(**REQUEST)

    async def read() -> None:
        async for _ in await create(**STREAM):
            pass

    async def left() -> None:
        async for _ in await create(**STREAM):
            break

    async def helped() -> None:
        async with client.messages.stream(**REQUEST) as events:
            await events.until_done()

    return [lambda way=way: run(way()) for way in (whole, read, left, helped)]


def requests_with_middleware(known: dict[str, Any]) -> list[Callable[[], object]]:
    """Requests of which a middleware sends each twice."""
    if VERSION < (0, 108):
        return []

    def twice(request: Any, call_next: Callable[[Any], Any]) -> Any:
        call_next(request)
        return call_next(request)

    return requests(anthropic.Anthropic(**known, middleware=[twice]))


@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_requests_leave_nothing(lasting_loop: asyncio.AbstractEventLoop) -> None:
    known: dict[str, Any] = {"base_url": "http://127.0.0.1:9", "api_key": "none", "max_retries": 0}
    with serving(), anthropic.Anthropic(**known) as client:
        twin = anthropic.AsyncAnthropic(**known)
        ways = itertools.cycle(
            requests(client)
            + asynchronous_requests(twin, lasting_loop.run_until_complete)
            + requests_with_middleware(known)
        )
        check_flat(lambda: next(ways)(), AnthropicInstrumentor(), loop=lasting_loop, turns=2500)
        lasting_loop.run_until_complete(twin.close())
