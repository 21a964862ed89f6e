"""ASGI applications that are served in a thread, with a span for each HTTP request."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from importlib import import_module
from typing import Any

from opentelemetry import trace
from opentelemetry.context import attach, detach
from opentelemetry.trace import SpanKind
from otlp_receiver import free_port

from otel_agents.testing.emission import Emission

__all__ = ["serving", "traced"]

uvicorn: Any = import_module("uvicorn")


def traced(app: Any, emission: Emission) -> Any:
    """Return ``app`` with a span for each request, as an instrumentation of ASGI has it."""
    tracer = emission.tracer_provider.get_tracer("asgi")

    async def call(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await app(scope, receive, send)
            return
        span = tracer.start_span("POST", kind=SpanKind.SERVER)
        token = attach(trace.set_span_in_context(span))
        try:
            await app(scope, receive, send)
        finally:
            detach(token)
            span.end()

    return call


@contextmanager
def serving(app: Any) -> Generator[int]:
    """Serve ``app`` in a thread, at the port that is returned."""
    port = free_port()
    server = uvicorn.Server(uvicorn.Config(app, port=port, log_level="critical"))
    ready = threading.Event()
    startup = server.startup

    async def started(*args: Any, **kwargs: Any) -> None:
        await startup(*args, **kwargs)
        ready.set()

    server.startup = started
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        assert ready.wait(30)
        yield port
    finally:
        server.should_exit = server.force_exit = True
        thread.join()
