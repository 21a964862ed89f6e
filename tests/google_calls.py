"""A table of every way to call the models of Google's SDK, over the Gemini API and Vertex AI."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from google import genai
from google.genai import version
from google.oauth2.credentials import Credentials

__all__ = [
    "CALLS",
    "MODEL",
    "PROMPT",
    "TIMES",
    "VERSION",
    "Call",
    "connected",
    "plain",
    "run_async",
    "ways",
]

VERSION = tuple(int(part) for part in version.__version__.split(".")[:2])
MODEL = "gemini-2.5-flash"
TIMES = 2
"""How often each way sends its request: the second response has cached tokens and thoughts."""
PROMPT = "Where is the Eiffel Tower?"
_WITHOUT_TLS = {"client_args": {"verify": False}, "async_client_args": {"verify": False}}
"""A client loads certificates four times, in a third of a second."""


@contextmanager
def connected(url: str, **options: Any) -> Generator[genai.Client, None, None]:
    """Yield a client of a scripted model; ``vertexai=True`` selects Vertex AI."""
    http_options: Any = {"base_url": url, **options.pop("http_options", {})}
    known: dict[str, Any] = {"api_key": "none"}
    if options.get("vertexai"):
        known = {"credentials": Credentials("none"), "project": "p", "location": "us-central1"}
    elif VERSION >= (2, 0):
        http_options = {**_WITHOUT_TLS, **http_options}
    client = genai.Client(http_options=http_options, **known, **options)
    yield client
    close = getattr(client, "close", None)
    if close is not None:
        close()


def run_async(url: str, use: Callable[[Any], Coroutine[Any, Any, Any]], **options: Any) -> Any:
    """Run ``use(client.aio)`` in an event loop of its own."""

    async def main() -> Any:
        with connected(url, **options) as client:
            result = await use(client.aio)
            close = getattr(client.aio, "aclose", None)
            if close is not None:
                await close()
            return result

    return asyncio.run(main())


@dataclass(frozen=True)
class Call:
    """One request: the method of ``client.models`` and its arguments."""

    name: str
    method: str
    arguments: dict[str, Any]
    streams: bool = False
    vertexai: bool = False

    def of(self, client: Any) -> Callable[..., Any]:
        """Return the bound method of ``client``, sync or async."""
        return getattr(client.models, self.method)


def calls() -> list[Call]:
    """Return the calls of both services."""
    found: list[Call] = []
    content: dict[str, Any] = {"model": MODEL, "contents": PROMPT}
    embedding: dict[str, Any] = {"model": "text-embedding-004", "contents": ["a", "b"]}
    for vertexai, service in ((False, "gemini"), (True, "vertex")):
        found += [
            Call(f"{service}-content", "generate_content", content, vertexai=vertexai),
            Call(f"{service}-stream", "generate_content_stream", content, True, vertexai),
            Call(f"{service}-embedding", "embed_content", embedding, vertexai=vertexai),
        ]
    if VERSION >= (1, 64):
        contents: dict[str, Any] = {"model": "gemini-embedding-2", "contents": "a"}
        found.append(Call("vertex-content-embedding", "embed_content", contents, vertexai=True))
    return found


CALLS = calls()


def plain(call: Call, url: str) -> None:
    with connected(url, vertexai=call.vertexai) as client:
        for _ in range(TIMES):
            result = call.of(client)(**call.arguments)
            if call.streams:
                list(result)


def plain_async(call: Call, url: str) -> None:
    async def use(client: Any) -> None:
        for _ in range(TIMES):
            result = await call.of(client)(**call.arguments)
            if call.streams:
                async for _ in result:
                    pass

    run_async(url, use, vertexai=call.vertexai)


def raw(call: Call, url: str) -> None:
    from google.genai import types

    config = types.GenerateContentConfig(should_return_http_response=True)
    with connected(url, vertexai=call.vertexai) as client:
        for _ in range(TIMES):
            call.of(client)(**call.arguments, config=config)


def ways() -> list[tuple[str, Callable[[Call, str], None], Call]]:
    """Return rows of name, function and call."""
    rows = [
        (f"{call.name}-{way.__name__}", way, call) for call in CALLS for way in (plain, plain_async)
    ]
    if VERSION >= (1, 33):
        rows += [
            (f"{call.name}-raw", raw, call) for call in CALLS if call.method == "generate_content"
        ]
    return rows
