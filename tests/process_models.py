"""The table of process models in the README, as the suite measures it.

A row of ``docs/processes.json`` is a command as somebody deploys it, how it is ended, and what
must have arrived by then. `test_readme` holds that each row is measured by some test.
"""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from otlp_receiver import Receiver

__all__ = ["ROWS", "Arrived", "Outcome", "Row", "arrived", "measured"]

DURATION = "gen_ai.client.operation.duration"
LONGER = 5.0
"""Seconds that an end may take longer than without us: the default of ``OTEL_AGENTS_EXIT_TIMEOUT``."""


@dataclass(frozen=True)
class Row:
    """One command.

    Attributes:
        key: Its name in the tests.
        shown: What the table calls it.
        command: What follows ``opentelemetry-instrument``; the suite adds where it listens.
        ended: How it is ended, in few words.
        asked: How many model calls the provider served.
        spans: How many spans of them arrived.
        points: How many of their durations arrived.
        service: The ``service.name`` of all that arrived.
        remark: What else there is to say: what cannot be saved.
    """

    key: str
    shown: str
    command: str
    ended: str
    asked: int
    spans: int
    points: int
    service: str
    remark: str


@dataclass(frozen=True)
class Outcome:
    """One run: what the program answered and said, and how it ended.

    Attributes:
        answers: Of the program to whoever asked.
        asked: How many requests the model served.
        status: Of the program.
        seconds: From the ending to its end.
        said: On its standard error.
        left: Processes that outlived it, by their command lines.
    """

    answers: list[str]
    asked: int
    status: int
    seconds: float
    said: str
    left: list[str]


@dataclass(frozen=True)
class Arrived:
    """What a receiver was sent of model calls: spans, as often as they came, and durations.

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
    """What ``receiver`` has by now."""
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
    """Hold two runs of a row, without us and with us, against each other and against the table.

    Raises:
        AssertionError: They differ, or the table says something else.
    """
    found = arrived(receiver)
    facts: list[tuple[str, object, object]] = [
        ("answers", ours.answers, bare.answers),
        ("status", ours.status, bare.status),
        ("requests at the model", (bare.asked, ours.asked), (row.asked, row.asked)),
        ("spans", found.spans, row.spans),
        ("spans that differ", found.different, row.spans),
        ("durations", found.points, row.points),
        ("services", found.services, {row.service} if row.spans else set()),
        ("processes left", (bare.left, ours.left), ([], [])),
        ("tracebacks", ours.said.count("Traceback"), bare.said.count("Traceback")),
        ("lines of ours", re.findall(".*otel_agents.*", ours.said), []),
        ("an end in time", ours.seconds < bare.seconds + LONGER, True),
    ]
    wrong = [f"{name}: {one}, not {other}" for name, one, other in facts if one != other]
    took = f"{ours.seconds:.1f} s to the end, {bare.seconds:.1f} s without us"
    assert not wrong, "\n".join([row.key, *wrong, took, ours.said])
