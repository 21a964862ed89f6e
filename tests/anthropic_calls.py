"""A table of every way to call every generating API of the Anthropic SDK."""

from __future__ import annotations

import asyncio
import importlib
from collections.abc import Callable
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

__all__ = ["CALLS", "MESSAGES", "VERSION", "Call", "ways"]

anthropic: Any = importlib.import_module("anthropic")
VERSION = tuple(int(part) for part in version("anthropic").split(".")[:2])
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]


@dataclass(frozen=True)
class Call:
    """One request: the SDK's method and its arguments."""

    name: str
    method: str
    arguments: dict[str, Any]

    def of(self, client: Any, *between: str) -> Callable[..., Any]:
        """Return the bound method of ``client``; ``between`` goes before its last name."""
        *path, last = self.method.split(".")
        owner = client
        for part in (*path, *between, last):
            owner = getattr(owner, part)
        return owner

    def stream_arguments(self) -> dict[str, Any]:
        """Return the arguments of a streamed request."""
        return {**self.arguments, "stream": True}


_MESSAGE: dict[str, Any] = {"model": "claude-4", "max_tokens": 100, "messages": MESSAGES}
CALLS = [Call("messages", "messages.create", _MESSAGE)]
if VERSION >= (1, 0):
    CALLS.append(Call("beta", "beta.messages.create", _MESSAGE))


def _sync(url: str, use: Callable[[Any], Any]) -> None:
    with anthropic.Anthropic(base_url=url, api_key="none", max_retries=0) as client:
        use(client)


def _async(url: str, use: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with anthropic.AsyncAnthropic(base_url=url, api_key="none", max_retries=0) as client:
            await use(client)

    asyncio.run(main())


def plain(call: Call, url: str) -> None:
    _sync(url, lambda client: call.of(client)(**call.arguments))


def plain_async(call: Call, url: str) -> None:
    _async(url, lambda client: call.of(client)(**call.arguments))


def raw(call: Call, url: str) -> None:
    _sync(url, lambda c: call.of(c, "with_raw_response")(**call.arguments).parse())


def raw_unparsed(call: Call, url: str) -> None:
    _sync(url, lambda c: call.of(c, "with_raw_response")(**call.arguments))


def raw_async(call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        parsed = (await call.of(client, "with_raw_response")(**call.arguments)).parse()
        if VERSION >= (1, 0):  # earlier versions return the message itself
            await parsed

    _async(url, use)


def streaming_response(call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.arguments) as response:
            response.parse()

    _sync(url, use)


def streaming_response_lines(call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.arguments) as response:
            list(response.iter_lines())

    _sync(url, use)


def streaming_response_async(call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        async with call.of(client, "with_streaming_response")(**call.arguments) as response:
            await response.read()

    _async(url, use)


def stream(call: Call, url: str) -> None:
    _sync(url, lambda client: list(call.of(client)(**call.stream_arguments())))


def stream_async(call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        async for _ in await call.of(client)(**call.stream_arguments()):
            pass

    _async(url, use)


def helper(call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with _helper(call, client)(**call.arguments) as events:
            assert events.get_final_message().content

    _sync(url, use)


def helper_async(call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        async with _helper(call, client)(**call.arguments) as events:
            async for _ in events.text_stream:
                pass

    _async(url, use)


def _helper(call: Call, client: Any) -> Callable[..., Any]:
    return Call(call.name, call.method.replace(".create", ".stream"), {}).of(client)


def raw_stream(call: Call, url: str) -> None:
    def use(client: Any) -> None:
        response = call.of(client, "with_raw_response")(**call.stream_arguments())
        list(response.parse())

    _sync(url, use)


def streaming_response_stream(call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.stream_arguments()) as response:
            list(response.parse())

    _sync(url, use)


def streaming_response_stream_lines(call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.stream_arguments()) as response:
            list(response.iter_lines())

    _sync(url, use)


_WAYS = [
    plain,
    plain_async,
    raw,
    raw_unparsed,
    raw_async,
    streaming_response,
    streaming_response_lines,
    streaming_response_async,
]
_STREAMED_WAYS = [
    stream,
    stream_async,
    helper,
    helper_async,
    raw_stream,
    streaming_response_stream,
    streaming_response_stream_lines,
]


def ways() -> list[tuple[str, Callable[[Call, str], None], Call, bool]]:
    """Return rows of name, function, call, and whether it streams."""
    return [
        (f"{call.name}-{way.__name__}", way, call, streamed)
        for call in CALLS
        for streamed, some in ((False, _WAYS), (True, _STREAMED_WAYS))
        for way in some
    ]
