"""The law of a table: each target that a version should have but does not is reported."""

from __future__ import annotations

import dataclasses
import importlib
import logging
from collections.abc import Iterable
from typing import Any

from packaging.requirements import Requirement

from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.instrumentors._core.patching.patch_set import PatchSet
from otel_agents.instrumentors._core.patching.patches import Row
from otel_agents.instrumentors._core.patching.versions import Distributions

__all__ = ["check_renamed"]

_RENAMED = "_renamed"


def check_renamed(instrumentor: type[AgentInstrumentor]) -> int:
    """Rename every target in turn, as a new version of the library would; return their number.

    A target that is applied is missing then, and no other; unless another target of its group
    exists. A target that this version need not have stays absent.
    """
    rows = tuple(instrumentor().patches())
    holders = tuple(Requirement(text).name for text in instrumentor.requires)
    for module in dict.fromkeys(row.module for row in rows):
        try:
            importlib.import_module(module)
        except Exception:  # noqa: BLE001, S112  of another version, or an extra that is not installed
            continue
    applied = _of(rows, holders, "applied")
    assert _of(rows, holders, "missing") == []
    logging.disable(logging.WARNING)
    try:
        for row in rows:
            renamed = dataclasses.replace(row, target=f"{row.target}{_RENAMED}")
            others = [renamed if one is row else one for one in rows]
            alone = not any(
                one.one_of == row.one_of and one.target in applied
                for one in rows
                if one is not row and row.one_of is not None
            )
            missing = _of(others, holders, "missing")
            due = Distributions(holders).expects(row.module, row.since, row.until)
            expected = [renamed.target] if row.target in applied and alone and due else []
            assert set(expected) <= set(missing) if row.one_of else missing == expected, row.target
    finally:
        logging.disable(logging.NOTSET)
    return len(applied)


def _of(rows: Iterable[Row], holders: tuple[str, ...], state: Any) -> list[str]:
    patches = PatchSet("renamed", rows, _NO_TELEMETRY, holders)
    patches.apply()
    try:
        return patches.report().of(state)
    finally:
        patches.undo()


_NO_TELEMETRY: Any = None
"""Nothing is called while patches are applied."""
