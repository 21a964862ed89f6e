"""The package ``fastmcp``: its own spans are replaced, its clients and servers recorded."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import pytest
from mcp_server import NEWEST, SECRET
from opentelemetry import trace
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.testing.emission import Emission

fastmcp: Any = import_module("fastmcp")
CALL = "tools/call weather"


def record_everything(emission: Emission, monkeypatch: pytest.MonkeyPatch) -> None:
    """Record the spans that the libraries make by themselves, too."""
    provider = emission.tracer_provider
    monkeypatch.setattr(trace, "get_tracer_provider", lambda: provider)
    if NEWEST:
        tracer = provider.get_tracer("mcp-python-sdk")
        monkeypatch.setattr(import_module("mcp.shared._otel"), "_tracer", tracer)


def server() -> Any:
    """Return a server with tools that call nothing."""
    made = fastmcp.FastMCP("weather")

    def weather(city: str) -> str:
        return f"sunny in {city}"

    def broken(city: str) -> str:
        raise LookupError(city)

    made.tool(weather)
    made.tool(broken)
    return made


async def use() -> None:
    async with fastmcp.Client(server()) as client:
        await client.call_tool("weather", {"city": SECRET})
        with pytest.raises(Exception, match=r".+"):
            await client.call_tool("broken", {"city": SECRET})


@pytest.mark.usefixtures("instrumented")
def test_its_spans_are_replaced(
    run: Any, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    record_everything(emission, monkeypatch)
    run(use())
    calls = [s for s in emission.spans if s.name.startswith("tools/call")]
    scopes = {s.instrumentation_scope.name for s in emission.spans if s.instrumentation_scope}
    assert scopes == {"otel_agents.instrumentors.mcp"}
    assert {(s.name, s.kind, s.status.status_code) for s in calls} == {
        (name, kind, status)
        for name, status in [(CALL, StatusCode.UNSET), ("tools/call broken", StatusCode.ERROR)]
        for kind in (SpanKind.CLIENT, SpanKind.SERVER)
    }
    assert len(calls) == 4
    tree = emission.tree()
    start = tree.index(CALL)
    assert tree[start : start + 2] == [CALL, f"  {CALL}"]
    assert SECRET not in emission.texts()


def test_they_are_as_before_where_they_are_preferred(
    run: Any, instrument: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With mcp 1, which has none, ours are what fastmcp does not record."""
    theirs = Emission()
    record_everything(theirs, monkeypatch)
    instrument(emission=theirs, OTEL_AGENTS_PREFER="theirs")
    run(use())
    scopes = {s.instrumentation_scope.name for s in theirs.spans if s.instrumentation_scope}
    called = [s for s in theirs.spans if s.name == CALL and s.instrumentation_scope]
    theirs.close()
    rest = "mcp-python-sdk" if NEWEST else "otel_agents.instrumentors.mcp"
    assert scopes == {"fastmcp", rest}
    kinds = {s.kind: s for s in called}
    client, server = kinds[SpanKind.CLIENT], kinds[SpanKind.SERVER]
    assert len(called) == 2
    assert {s.instrumentation_scope.name for s in called if s.instrumentation_scope} == {"fastmcp"}
    assert client.context is not None
    assert server.context is not None
    assert server.context.trace_id == client.context.trace_id
