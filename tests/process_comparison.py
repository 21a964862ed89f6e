"""A command without and with otel-agents, in parallel, both compared with the table."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from otlp_receiver import Receiver
from process_models import Outcome, Row, measured
from process_runs import Program

__all__ = ["Driver", "compared"]

Driver = Callable[[Program], None]
"""Starts a program, sends requests, and ends it."""


def compared(
    row: Row, driver: Driver, folder: Path, variables: Sequence[Mapping[str, str]] = ({}, {})
) -> None:
    """Run a row without and with otel-agents, in parallel, and compare both with the table.

    Args:
        row: The row.
        driver: What is done with its program.
        folder: For its files.
        variables: For the run without us, and for the one with us.
    """
    with Receiver() as receiver, ThreadPoolExecutor(2) as pool:

        def run(name: str, receiver: Receiver | None, variables: Mapping[str, str]) -> Outcome:
            (folder / name).mkdir()
            with Program(row, folder / name, receiver, variables) as program:
                driver(program)
                return program.ended()

        bare = pool.submit(run, "bare", None, variables[0])
        ours = pool.submit(run, "ours", receiver, variables[1])
        measured(row, bare.result(), ours.result(), receiver)
