"""Clients of the Model Context Protocol for every version of ``mcp``, and a peer without any."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

import anyio
from mcp_server import NEWEST, VERSION, lowlevel
from packaging.version import Version

__all__ = [
    "MODES",
    "PROGRAM",
    "connected",
    "over_http",
    "over_sse",
    "peer",
    "result_of",
    "served",
    "session_over",
    "stdio",
    "strict_peer",
]

PROGRAM = Path(__file__).with_name("mcp_server.py")
MODES = ("legacy", "auto") if NEWEST else ("session",)
"""How a client connects in memory: by the streams of earlier protocols, or by direct calls."""


@asynccontextmanager
async def connected(server: Any, mode: str = MODES[0], **callbacks: Any) -> AsyncGenerator[Any]:
    """Connect a client to ``server`` in memory."""
    if NEWEST:
        client: Any = import_module("mcp.client.client").Client
        async with client(server, mode=mode, **callbacks) as session:
            yield session
        return
    memory: Any = import_module("mcp.shared.memory")
    connect = memory.create_connected_server_and_client_session
    async with connect(lowlevel(server), **callbacks) as session:
        yield session


@asynccontextmanager
async def session_over(transport: Any, **callbacks: Any) -> AsyncGenerator[Any]:
    """Open a session over the streams that ``transport`` yields."""
    session_class: Any = import_module("mcp").ClientSession
    async with AsyncExitStack() as stack:
        streams = await stack.enter_async_context(transport)
        session = await stack.enter_async_context(session_class(*streams[:2], **callbacks))
        await session.initialize()
        yield session


@asynccontextmanager
async def stdio(environ: Mapping[str, str], *command: str) -> AsyncGenerator[Any]:
    """Start the server as a program, and open a session over its standard input and output."""
    mcp: Any = import_module("mcp")
    arguments = [*command, str(PROGRAM), "stdio"]
    parameters = mcp.StdioServerParameters(
        command=arguments[0], args=arguments[1:], env=dict(environ)
    )
    async with session_over(mcp.stdio_client(parameters)) as session:
        yield session


def over_sse(port: int) -> Any:
    """Return the transport of a client of a server at ``port``."""
    return import_module("mcp.client.sse").sse_client(f"http://127.0.0.1:{port}/sse")


def over_http(port: int) -> Any:
    """Return the transport of a client of a server at ``port``."""
    module = import_module("mcp.client.streamable_http")
    names = ("streamable_http_client", "streamablehttp_client")
    client: Any = next(getattr(module, name) for name in names if hasattr(module, name))
    return client(f"http://127.0.0.1:{port}/mcp")


@contextmanager
def served(transport: str, port: int, environ: Mapping[str, str], *command: str) -> Generator[None]:
    """Run the server as a program that listens at a port, from when it is ready."""
    arguments = [*command, str(PROGRAM), transport, str(port)]
    process = subprocess.Popen(arguments, env=dict(environ), stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    try:
        ready = any("Uvicorn running" in line for line in process.stderr)
        assert ready, "the server did not start"
        yield
    finally:
        process.kill()  # early versions wait for the connections of clients that are gone
        process.communicate()


Handle = Callable[[dict[str, Any]], "Mapping[str, Any] | None"]


@asynccontextmanager
async def peer(handle: Handle, **callbacks: Any) -> AsyncGenerator[Any]:
    """Connect a client to a peer that is no ``mcp`` at all: a function of JSON-RPC messages."""
    memory: Any = import_module("mcp.shared.memory")
    session_class: Any = import_module("mcp").ClientSession
    async with (
        memory.create_client_server_memory_streams() as (ours, theirs),
        anyio.create_task_group() as group,
    ):
        group.start_soon(_respond, theirs, handle)
        async with session_class(*ours, **callbacks) as session:
            await session.initialize()
            yield session
        group.cancel_scope.cancel()


async def _respond(streams: tuple[Any, Any], handle: Handle) -> None:
    types: Any = import_module("mcp.types")
    reader, writer = streams
    async for item in reader:
        message = getattr(item, "message", item)
        wire = message.model_dump(by_alias=True, mode="json", exclude_none=True)
        response = handle(wire)
        if response is not None:
            response = {"jsonrpc": "2.0", "id": wire["id"], **response}
            await writer.send(_sendable(_parsed(types, response)))


def _sendable(message: Any) -> Any:
    """Return what the streams carry: a message until mcp 1.8, since then one with metadata."""
    if Version("1.8") > VERSION:
        return message
    return import_module("mcp.shared.message").SessionMessage(message=message)


def _parsed(types: Any, response: Mapping[str, Any]) -> Any:
    if not NEWEST:
        return types.JSONRPCMessage.model_validate(response)
    kind = types.JSONRPCError if "error" in response else types.JSONRPCResponse
    return kind.model_validate(response)


_INITIALIZED = {
    "protocolVersion": "2024-11-05",
    "capabilities": {},
    "serverInfo": {"name": "peer", "version": "1"},
}


def result_of(message: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the response of a peer to a message; None to a notification."""
    if message["method"].startswith("notifications/"):
        return None
    results: dict[str, Any] = {
        "initialize": _INITIALIZED,
        "tools/list": {"tools": []},
        "tools/call": {"content": [{"type": "text", "text": "sunny"}]},
        "ping": {},
    }
    return {"result": results[message["method"]]}


def strict_peer(received: list[dict[str, Any]], *methods: str, reason: str = "") -> Handle:
    """Return a peer that rejects unknown keys in ``_meta`` of ``methods``, or of every method."""

    def handle(message: dict[str, Any]) -> Mapping[str, Any] | None:
        received.append(message)
        meta: Any = message.get("params", {}).get("_meta") or {}
        checked = not methods or message["method"] in methods
        if checked and "id" in message and "traceparent" in meta:
            return {"error": {"code": -32602, "message": reason or "Invalid request parameters"}}
        return result_of(message)

    return handle
