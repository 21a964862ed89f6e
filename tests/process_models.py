"""The table of process models in the README, as the suite measures it.

A row of ``docs/processes.json`` is a command as users deploy it, how it ends, and what must have
arrived then. `test_readme` checks that a test measures each row.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from otlp_receiver import Receiver

__all__ = ["ROWS", "Arrived", "Outcome", "Row", "arrived", "measured"]

DURATION = "gen_ai.client.operation.duration"
LONGER = 15.0
"""Additional seconds for the end under otel-agents: less than the limit that `process_runs` sets,
which only a hanging delivery reaches, but enough for a busy machine."""


@dataclass(frozen=True)
class Row:
    """One command.

    Attributes:
        key: Its name in the tests.
        shown: Its name in the table.
        command: What follows ``opentelemetry-instrument``; the suite adds its address.
        ended: How it ends, in a few words.
        requests: The number of requests that the provider served.
        spans: The number of their spans that arrived.
        points: The number of their durations that arrived.
        service: The ``service.name`` of all that arrived.
        remark: Further facts, such as what cannot be delivered.
    """

    key: str
    shown: str
    command: str
    ended: str
    requests: int
    spans: int
    points: int
    service: str
    remark: str


@dataclass(frozen=True)
class Outcome:
    """One run: the program's responses and errors, and how it ended.

    Attributes:
        responses: The program's responses to its clients.
        requests: The number of requests that the model served.
        status: The program's exit status.
        seconds: From the signal to its end.
        stderr: Its standard error.
        left: Command lines of processes that outlived it.
    """

    responses: list[str]
    requests: int
    status: int
    seconds: float
    stderr: str
    left: list[str]


@dataclass(frozen=True)
class Arrived:
    """What a receiver got of model calls: spans, with duplicates, and durations.

    Frameworks have spans of their own, as FastAPI has.
    """

    spans: int
    different: int
    points: int
    services: set[str]


_FILE = Path(__file__).parents[1] / "docs/processes.json"

ROWS = {row["key"]: Row(**row) for row in json.loads(_FILE.read_text("utf-8"))}
"""The rows by key, in the order of the table."""


def arrived(receiver: Receiver) -> Arrived:
    """Return what ``receiver`` has."""
    spans = [
        (span.trace_id, span.span_id)
        for path, request in list(receiver.requests)
        if path == "/v1/traces"
        for resource in request.resource_spans
        for scope in resource.scope_spans
        if scope.scope.name.startswith("otel_agents.")
        for span in scope.spans
    ]
    counted = sum(receiver.counts(DURATION).values())
    return Arrived(len(spans), len(set(spans)), counted, receiver.services)


def measured(row: Row, bare: Outcome, ours: Outcome, receiver: Receiver) -> None:
    """Compare two runs of a row, without and with otel-agents, with each other and with the table.

    Raises:
        AssertionError: They differ, or the table says something else.
    """
    found = arrived(receiver)
    facts: list[tuple[str, object, object]] = [
        ("responses", ours.responses, bare.responses),
        ("status", ours.status, bare.status),
        ("requests at the model", (bare.requests, ours.requests), (row.requests, row.requests)),
        ("spans", found.spans, row.spans),
        ("spans that differ", found.different, row.spans),
        ("durations", found.points, row.points),
        ("services", found.services, {row.service} if row.spans else set()),
        ("processes left", (bare.left, ours.left), ([], [])),
        ("tracebacks", ours.stderr.count("Traceback"), bare.stderr.count("Traceback")),
        ("lines of ours", re.findall(".*otel_agents.*", ours.stderr), []),
        ("an end in time", ours.seconds < bare.seconds + LONGER, True),
    ]
    wrong = [f"{name}: {one}, not {other}" for name, one, other in facts if one != other]
    took = f"{ours.seconds:.1f} s to the end, {bare.seconds:.1f} s without otel-agents"
    assert not wrong, "\n".join([row.key, *wrong, took, ours.stderr])
