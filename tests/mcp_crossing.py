"""A call through MCP that crosses into the process of the server, made by a framework's agent."""

from __future__ import annotations

import sys
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from instrumented import plain_environ
from opentelemetry.trace import SpanKind
from otlp_receiver import Receiver

from otel_agents.testing.emission import Emission

__all__ = ["WEATHER", "Crossing", "crossing"]

WEATHER = "tools/call weather"
_PROGRAM = Path(__file__).with_name("mcp_server.py")


class Crossing:
    """The server's program, and what it records.

    Attributes:
        command: Starts the server under ``opentelemetry-instrument``.
        arguments: Of the command.
        environ: The variables of the server's process.
    """

    def __init__(self, receiver: Receiver) -> None:
        self._receiver = receiver
        self.command = str(Path(sys.executable).with_name("opentelemetry-instrument"))
        self.arguments = [sys.executable, str(_PROGRAM), "stdio"]
        self.environ = plain_environ(
            {
                "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                "OTEL_BSP_SCHEDULE_DELAY": "50",
            }
        )

    def check(self, emission: Emission, tool: str) -> None:
        """Check that the call is one ``execute_tool`` of the agent, which the server continues."""
        with self._receiver.arrived:
            assert self._receiver.arrived.wait_for(lambda: WEATHER in self._receiver.span_names, 30)
        (span,) = (one for one in emission.spans if one.name == f"execute_tool {tool}")
        attributes = dict(span.attributes or {})
        assert attributes["mcp.method.name"] == "tools/call"
        assert attributes["network.transport"] == "pipe"
        assert WEATHER not in emission.names
        (served,) = (one for one in self._receiver.spans if one.name == WEATHER)
        assert span.context is not None
        assert served.trace_id.hex() == f"{span.context.trace_id:032x}"
        assert served.parent_span_id.hex() == f"{span.context.span_id:016x}"
        assert sent_within_agents(emission) == []


def sent_within_agents(emission: Emission) -> list[str]:
    """Return the requests that have spans of their own below an agent or a tool."""
    spans = {one.context.span_id: one for one in emission.spans if one.context is not None}

    def is_within(span: Any) -> bool:
        above = spans.get(span.parent.span_id) if span.parent is not None else None
        return above is not None and (
            above.name.startswith(("invoke_agent", "execute_tool")) or is_within(above)
        )

    return [
        one.name
        for one in emission.spans
        if one.kind is SpanKind.CLIENT
        and "mcp.method.name" in (one.attributes or {})
        and is_within(one)
    ]


@contextmanager
def crossing() -> Generator[Crossing]:
    """Provide a server's program, and receive what it records."""
    with Receiver() as receiver:
        yield Crossing(receiver)
