"""A small load: all of many traces pass the gateway."""

from __future__ import annotations

from backends import load

TRACES = 2000


def test_every_trace_arrives_whole() -> None:
    measured = load.run(TRACES, 120)
    assert (measured.sent, measured.arrived, measured.whole) == (TRACES, TRACES, TRACES)
