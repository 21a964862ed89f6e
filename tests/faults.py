"""The README's table of faults, as the tests measure it.

A test that causes a fault hands in what it counted; a row of ``docs/faults.json`` says what it must
be. `test_readme` holds that each row is measured by some test.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

__all__ = ["ROWS", "Row", "measured"]


@dataclass(frozen=True)
class Row:
    """One fault: ``arrived`` is a number of spans, or the least and the most; ``why`` in few words."""

    key: str
    fault: str
    sent: int
    arrived: int | list[int]
    why: str

    @property
    def bounds(self) -> tuple[int, int]:
        """The least and the most that arrive."""
        if isinstance(self.arrived, int):
            return self.arrived, self.arrived
        least, most = self.arrived
        return least, most


_FILE = Path(__file__).parents[1] / "docs/faults.json"

ROWS = {row["key"]: Row(**row) for row in json.loads(_FILE.read_text("utf-8"))}
"""The rows by key, in the order of the table."""


def measured(key: str, *, sent: int, arrived: int) -> None:
    """Compare what a test counted, spans by their unique ids, with the row ``key``.

    Raises:
        AssertionError: The table has other numbers.
        KeyError: The table has no such row.
    """
    row = ROWS[key]
    least, most = row.bounds
    assert sent == row.sent, f"{key}: {sent} sent, the table says {row.sent}"
    assert least <= arrived <= most, f"{key}: {arrived} arrived, the table says {row.arrived}"
