"""Toy layers above a model: an instrumented SDK, a router above it, and plain HTTP."""

from __future__ import annotations

import asyncio
import itertools
import uuid
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any


class Overloaded(Exception):
    """The provider refuses the request."""


@dataclass(frozen=True)
class Response:
    """A provider's response; ``tokens`` are billed as input tokens."""

    id: str
    text: str
    tokens: int


@dataclass
class Provider:
    """Serves and bills: ``failures`` requests are refused first."""

    failures: int = 0
    served: list[Response] = field(default_factory=list[Response])
    refused: int = 0
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(11))

    def serve(self, prompt: str) -> Response:
        """Respond to one request."""
        if self.refused < self.failures:
            self.refused += 1
            raise Overloaded
        number = next(self._numbers)
        self.served.append(Response(f"response-{uuid.uuid4().hex}", prompt.upper(), number))
        return self.served[-1]


class Client:
    """A provider's SDK: a layer that is instrumented."""

    def __init__(self, provider: Provider) -> None:
        self.provider = provider

    def create(self, prompt: str) -> Response:
        """Send a request."""
        return self.provider.serve(prompt)

    async def acreate(self, prompt: str) -> Response:
        """Send a request asynchronously."""
        await asyncio.sleep(0)
        return self.provider.serve(prompt)

    def stream(self, prompt: str) -> Iterator[str]:
        """Send the request when the first character is read."""
        yield from self.provider.serve(prompt).text

    def embed(self, text: str) -> Response:
        """Embed the text."""
        return self.provider.serve(text)


Send = Callable[[str], Response]


class Router:
    """A layer above: caches, retries, falls back, and may call a provider without an SDK.

    ``before_send`` is the hook below its cache.
    """

    def __init__(self, *routes: Send) -> None:
        self.routes = routes
        self.cache: dict[str, Response] = {}

    def before_send(self) -> None:
        """Run before each request is sent."""

    def complete(self, prompt: str, *, mock: bool = False) -> Response:
        """Respond from the cache, from a mock, or by the first route that works."""
        if mock:
            return Response("mock", "MOCK", 99)
        if prompt not in self.cache:
            self.cache[prompt] = self._try_routes(prompt)
        return self.cache[prompt]

    def _try_routes(self, prompt: str) -> Response:
        for last, route in enumerate(self.routes, start=1 - len(self.routes)):
            try:
                return self.send(route, prompt)
            except Overloaded:
                if last == 0:
                    raise
        raise LookupError("no route")

    def send(self, route: Send, prompt: str) -> Response:
        """Send one request by one route."""
        self.before_send()
        return route(prompt)

    def acomplete(self, client: Client, prompt: str) -> Coroutine[Any, Any, Response]:
        """Return a coroutine from a plain function, as LiteLLM does."""
        self.before_send()
        return client.acreate(prompt)

    def stream(self, client: Client, prompt: str) -> Iterator[str]:
        """Return a stream from a plain function; its first step sends the request."""
        return client.stream(prompt)
