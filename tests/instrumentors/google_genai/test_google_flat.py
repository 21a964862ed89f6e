"""Law 9: thousands of requests of the SDK leave nothing behind."""

from __future__ import annotations

import asyncio
import importlib
import itertools
import json
from collections.abc import Callable, Generator
from contextlib import ExitStack, contextmanager
from importlib.util import find_spec
from typing import Any
from unittest import mock

import pytest
from flatness import check_flat
from google import genai
from google_calls import MODEL, PROMPT, VERSION

from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor

_numbers = itertools.count()


def weather(city: str) -> str:
    """Return the weather of a city."""
    return f"Sunny in {city}."


def _response(part: dict[str, Any]) -> dict[str, Any]:
    content = {"role": "model", "parts": [part]}
    return {
        "candidates": [{"content": content, "finishReason": "STOP"}],
        "responseId": f"resp-{next(_numbers)}",
        "modelVersion": MODEL,
        "usageMetadata": {"promptTokenCount": 7, "candidatesTokenCount": 3},
    }


def _body(path: str, sent: bytes) -> bytes:
    if path.endswith("streamGenerateContent"):
        chunks = [_response({"text": text}) for text in ("one ", "two")]
        return b"".join(b"data: %b\n\n" % json.dumps(chunk).encode() for chunk in chunks)
    calls = b"functionDeclarations" in sent and b"functionResponse" not in sent
    call = {"functionCall": {"name": "weather", "args": {"city": "Bern"}}}
    return json.dumps(_response(call if calls else {"text": "Sunny."})).encode()


@contextmanager
def serving() -> Generator[None, None, None]:
    """Respond where httpx would send a request."""

    def handle(httpx: Any, request: Any, sent: bytes) -> Any:
        return httpx.Response(200, content=_body(request.url.path, sent))

    with ExitStack() as stack:
        for name in ("httpx", "httpx2"):
            if find_spec(name) is None:
                continue
            httpx = importlib.import_module(name)

            async def ahandle(transport: Any, request: Any, httpx: Any = httpx) -> Any:
                return handle(httpx, request, await request.aread())

            def respond(transport: Any, request: Any, httpx: Any = httpx) -> Any:
                return handle(httpx, request, request.read())

            stack.enter_context(mock.patch.object(httpx.HTTPTransport, "handle_request", respond))
            stack.enter_context(
                mock.patch.object(httpx.AsyncHTTPTransport, "handle_async_request", ahandle)
            )
        yield


def requests(client: Any) -> list[Callable[[], object]]:
    """A whole response, functions, a stream that is read, one that is left, one that fails."""
    models, config = client.models, {"tools": [weather]}
    known: dict[str, Any] = {"model": MODEL, "contents": PROMPT}

    def refused() -> None:
        with pytest.raises(ValueError, match="routing"):
            models.generate_content(**known, config={"routing_config": {"auto_mode": {}}})

    return [
        lambda: models.generate_content(**known),
        lambda: models.generate_content(**known, config=config),
        lambda: list(models.generate_content_stream(**known)),
        lambda: next(iter(models.generate_content_stream(**known))),
        refused,
    ]


def asynchronous_requests(client: Any, run: Callable[[Any], object]) -> list[Callable[[], object]]:
    """A stream that is read, one that is left, in one loop."""
    known: dict[str, Any] = {"model": MODEL, "contents": PROMPT}

    async def read() -> None:
        async for _ in await client.models.generate_content_stream(**known):
            pass

    async def left() -> None:
        async for _ in await client.models.generate_content_stream(**known):
            break

    return [lambda: run(read()), lambda: run(left())]


@pytest.mark.skipif(VERSION < (3, 0), reason="once is enough: nothing of it is a version's")
@pytest.mark.filterwarnings("ignore::ResourceWarning")
def test_requests_leave_nothing(lasting_loop: asyncio.AbstractEventLoop) -> None:
    import httpx2

    transport = {"transport": httpx2.AsyncHTTPTransport()}  # else aiohttp sends what is async
    options: Any = {"async_client_args": transport}
    with serving():
        client = genai.Client(api_key="none", http_options=options)
        run = lasting_loop.run_until_complete
        ways = itertools.cycle(requests(client) + asynchronous_requests(client.aio, run))
        check_flat(lambda: next(ways)(), GoogleGenAIInstrumentor(), loop=lasting_loop, turns=4_000)
        run(client.aio.aclose())
        client.close()
