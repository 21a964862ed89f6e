"""Tables in the format of docs/performance.md, printed row by row as they are measured."""

from __future__ import annotations

from collections.abc import Iterable

__all__ = ["figure", "print_header", "print_row"]


def figure(number: float | None, digits: int) -> str:
    """Return a cell; an empty one if there is no figure."""
    return "" if number is None else f"{number:.{digits}f}"


def print_header(*columns: str) -> None:
    """Print the first lines of a table, after an empty one."""
    print()
    print_row(columns)
    print("|" + "---|" * len(columns), flush=True)


def print_row(cells: Iterable[str]) -> None:
    """Print one line of a table."""
    print("| " + " | ".join(cells) + " |", flush=True)
