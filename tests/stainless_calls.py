"""Every way to call a method of an SDK that Stainless generates."""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Call", "Sdk", "Way", "ways"]


@dataclass(frozen=True)
class Call:
    """One request: the SDK's method and its arguments; ``streamed`` are those of a stream."""

    name: str
    method: str
    arguments: dict[str, Any]
    streams: bool = True
    streamed: Mapping[str, Any] = field(default_factory=dict[str, Any])

    def of(self, client: Any, *between: str) -> Callable[..., Any]:
        """Return the bound method of ``client``; ``between`` goes before its last name."""
        *path, last = self.method.split(".")
        owner = client
        for part in (*path, *between, last):
            owner = getattr(owner, part)
        return owner

    def stream_arguments(self) -> dict[str, Any]:
        """Return the arguments of a streamed request with usage."""
        return {**self.arguments, "stream": True, **self.streamed}


Way = Callable[[Call, str], None]
"""Sends the call to a server at a URL, and reads the response."""


@dataclass(frozen=True)
class Sdk:
    """An SDK: its module, its client's class there, and ``send(client, **arguments)``.

    That sends a short request of its main API, by either client; ``arguments`` change it.
    ``url`` is the name of the scripted model's URL for its clients. ``codes`` are the provider's codes
    by HTTP status, where they are the ``error.type``; else it is the exception's class.
    """

    module: Any
    kind: str
    send: Callable[..., Any]
    url: str
    codes: Mapping[int, str] = field(default_factory=dict[int, str])

    @property
    def name(self) -> str:
        """The name of the module, as in an ``error.type``."""
        return self.module.__name__

    def error(self, name: str) -> type[BaseException]:
        """Return a class of the SDK's exceptions."""
        return getattr(self.module, name)

    def connect(
        self, url: str, asynchronous: bool = False, max_retries: int = 0, **more: Any
    ) -> Any:
        """Return a client of the server at ``url``."""
        kind = getattr(self.module, f"Async{self.kind}" if asynchronous else self.kind)
        return kind(base_url=url, api_key="none", max_retries=max_retries, **more)

    def use(self, url: str, use: Callable[[Any], Any]) -> None:
        """Run ``use(client)``."""
        with self.connect(url) as client:
            use(client)

    def use_async(self, url: str, use: Callable[[Any], Any]) -> Any:
        """Run ``use(client)`` with an async client, in an event loop of its own."""

        async def main() -> Any:
            async with self.connect(url, asynchronous=True) as client:
                return await use(client)

        return asyncio.run(main())


def plain(sdk: Sdk, call: Call, url: str) -> None:
    sdk.use(url, lambda client: call.of(client)(**call.arguments))


def plain_async(sdk: Sdk, call: Call, url: str) -> None:
    sdk.use_async(url, lambda client: call.of(client)(**call.arguments))


def raw(sdk: Sdk, call: Call, url: str) -> None:
    sdk.use(url, lambda c: call.of(c, "with_raw_response")(**call.arguments).parse())


def raw_unparsed(sdk: Sdk, call: Call, url: str) -> None:
    sdk.use(url, lambda c: call.of(c, "with_raw_response")(**call.arguments))


def raw_async(sdk: Sdk, call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        await _parsed(await call.of(client, "with_raw_response")(**call.arguments))

    sdk.use_async(url, use)


async def _parsed(response: Any) -> Any:
    """Return the result of ``parse()``, which is a coroutine function in some SDKs."""
    parsed = response.parse()
    return await parsed if asyncio.iscoroutine(parsed) else parsed


def streaming_response(sdk: Sdk, call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.arguments) as response:
            response.parse()

    sdk.use(url, use)


def streaming_response_lines(sdk: Sdk, call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.arguments) as response:
            list(response.iter_lines())

    sdk.use(url, use)


def streaming_response_async(sdk: Sdk, call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        async with call.of(client, "with_streaming_response")(**call.arguments) as response:
            await response.read()

    sdk.use_async(url, use)


def stream(sdk: Sdk, call: Call, url: str) -> None:
    sdk.use(url, lambda client: list(call.of(client)(**call.stream_arguments())))


def stream_async(sdk: Sdk, call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        async for _ in await call.of(client)(**call.stream_arguments()):
            pass

    sdk.use_async(url, use)


def raw_stream(sdk: Sdk, call: Call, url: str) -> None:
    def use(client: Any) -> None:
        response = call.of(client, "with_raw_response")(**call.stream_arguments())
        list(response.parse())

    sdk.use(url, use)


def raw_stream_async(sdk: Sdk, call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        response = await call.of(client, "with_raw_response")(**call.stream_arguments())
        async for _ in await _parsed(response):
            pass

    sdk.use_async(url, use)


def streaming_response_stream(sdk: Sdk, call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.stream_arguments()) as response:
            list(response.parse())

    sdk.use(url, use)


def streaming_response_stream_lines(sdk: Sdk, call: Call, url: str) -> None:
    def use(client: Any) -> None:
        with call.of(client, "with_streaming_response")(**call.stream_arguments()) as response:
            list(response.iter_lines())

    sdk.use(url, use)


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
    raw_stream,
    raw_stream_async,
    streaming_response_stream,
    streaming_response_stream_lines,
]


def ways(
    sdk: Sdk, calls: Iterable[Call], *own: Callable[[Sdk, Call, str], None]
) -> list[tuple[str, Way, Call, bool]]:
    """Return rows of name, function, call, and whether it streams; ``own`` are the SDK's own streams."""
    return [
        (f"{call.name}-{way.__name__}", functools.partial(way, sdk), call, streamed)
        for call in calls
        for streamed, some in ((False, _WAYS), (True, [*_STREAMED_WAYS, *own]))
        for way in some
        if call.streams or not streamed
    ]
