"""A table of every way to call every generating API of the OpenAI SDK."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import openai

__all__ = ["CALLS", "VERSION", "Call", "ways"]

VERSION = tuple(int(part) for part in openai.__version__.split(".")[:2])
MESSAGES: list[Any] = [{"role": "user", "content": "Where is the Eiffel Tower?"}]


@dataclass(frozen=True)
class Call:
    """One request: the SDK's method and its arguments."""

    name: str
    method: str
    arguments: dict[str, Any]
    streams: bool = True

    def of(self, client: Any, *between: str) -> Callable[..., Any]:
        """Return the bound method of ``client``; ``between`` goes before its last name."""
        *path, last = self.method.split(".")
        owner = client
        for part in (*path, *between, last):
            owner = getattr(owner, part)
        return owner

    def stream_arguments(self) -> dict[str, Any]:
        """Return the arguments of a streamed request with usage."""
        options: dict[str, Any] = {"stream_options": {"include_usage": True}}
        if self.name == "responses":  # its streams always have usage
            options = {}
        elif VERSION < (1, 26):  # openai 1.26 added the parameter
            options = {"extra_body": options}
        return {**self.arguments, "stream": True, **options}


CALLS = [
    Call("chat", "chat.completions.create", {"model": "gpt-4o-mini", "messages": MESSAGES}),
    Call("completions", "completions.create", {"model": "davinci", "prompt": "Say this"}),
    Call("embeddings", "embeddings.create", {"model": "embed-3", "input": "text"}, streams=False),
]
if VERSION >= (1, 66):
    CALLS.append(Call("responses", "responses.create", {"model": "gpt-4o-mini", "input": "Hi"}))
if VERSION >= (2, 54):
    compaction = {"model": "gpt-5", "input": MESSAGES}
    CALLS.append(Call("compaction", "responses.compact", compaction, streams=False))
if VERSION >= (3, 54):
    predicates = [{"type": "predicate", "name": "near", "predicate": "Is it near?"}]
    decision: dict[str, Any] = {"model": "gpt-6-luna", "input": "Paris", "questions": predicates}
    CALLS.append(Call("decision", "decisions.create", decision, streams=False))


def _sync(url: str, use: Callable[[Any], Any]) -> None:
    with openai.OpenAI(base_url=url, api_key="none", max_retries=0) as client:
        use(client)


def _async(url: str, use: Callable[[Any], Any]) -> None:
    async def main() -> None:
        async with openai.AsyncOpenAI(base_url=url, api_key="none", max_retries=0) as client:
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
        (await call.of(client, "with_raw_response")(**call.arguments)).parse()

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


def raw_stream(call: Call, url: str) -> None:
    def use(client: Any) -> None:
        response = call.of(client, "with_raw_response")(**call.stream_arguments())
        list(response.parse())

    _sync(url, use)


def raw_stream_async(call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        response = await call.of(client, "with_raw_response")(**call.stream_arguments())
        async for _ in response.parse():
            pass

    _async(url, use)


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
    raw_stream,
    raw_stream_async,
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
        if call.streams or not streamed
    ]
