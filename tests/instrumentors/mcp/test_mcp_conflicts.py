"""Another instrumentation of MCP in the same environment: only one of them records."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import pytest
from dist_infos import Site
from instrumented import instrumented, script
from mcp_server import SECRET
from otlp_receiver import Receiver

from otel_agents.instrumentors import hosting
from otel_agents.instrumentors.mcp import McpInstrumentor

OTHERS = ("openinference-instrumentation-mcp", "opentelemetry-instrumentation-mcp")
OURS, THEIRS = "otel_agents.instrumentors.mcp", "opentelemetry.instrumentation.mcp.instrumentation"
PROGRAM = f"""
    import asyncio, sys

    sys.path.insert(0, {str(Path(__file__).parents[2])!r})
    from mcp.shared.memory import create_connected_server_and_client_session as connect
    from mcp_server import lowlevel, weather_server

    async def main():
        async with connect(lowlevel(weather_server())) as session:
            print((await session.call_tool("weather", {{"city": "{SECRET}"}})).content[0].text)

    asyncio.run(main())
"""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Return what receives the spans of the program."""
    with Receiver() as receiver:
        yield receiver


def scopes(receiver: Receiver) -> set[str]:
    """Return the scopes of all spans that arrived."""
    return {
        scope.scope.name
        for path, request in receiver.requests
        if path == "/v1/traces"
        for resource in request.resource_spans
        for scope in resource.scope_spans
    }


@pytest.mark.parametrize(("prefer", "expected"), [("ours", OURS), ("theirs", THEIRS)])
def test_one_of_them_records(
    prefer: str, expected: str, receiver: Receiver, tmp_path: Path
) -> None:
    try:
        versions = [version(name) for name in OTHERS]
    except PackageNotFoundError:
        pytest.skip("they are in the environment of mcp 1")
    assert len(versions) == 2
    variables = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_METRICS_EXPORTER": "none",
        "OTEL_AGENTS_PREFER": prefer,
    }
    done = instrumented(script(tmp_path, PROGRAM), variables, installed=True)
    assert (done.out, done.status) == (f"sunny in {SECRET}\n", 0)
    assert scopes(receiver) == {expected}
    named = [name for name in OTHERS if f"so {name} is not loaded" in done.err]
    assert named == (list(OTHERS) if prefer == "ours" else [])
    sent = b"".join(request.SerializeToString() for _, request in receiver.requests)
    assert SECRET.encode() not in sent


def test_one_for_fastmcp_alone_is_a_conflict_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its metadata name ``fastmcp`` only."""
    entry = "[opentelemetry_instrumentor]\nfastmcp = example.fastmcp:FastMCPInstrumentor\n"
    Site(tmp_path).install("splunk-otel-instrumentation-fastmcp", "0.2.2", entry)
    monkeypatch.setattr(sys, "path", [str(tmp_path), *sys.path])
    found = map(str, hosting.registered_conflicts(McpInstrumentor))
    assert "splunk-otel-instrumentation-fastmcp" in found
