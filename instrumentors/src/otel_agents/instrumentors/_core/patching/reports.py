"""The state of each target of an instrumentor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Report", "State", "TargetReport"]

State = Literal["waiting", "applied", "missing", "absent"]


@dataclass(frozen=True)
class TargetReport:
    """The state of one target: ``waiting`` for its import, ``applied``, ``missing``, ``absent``.

    The installed version should have a ``missing`` target, and is known not to have an ``absent``
    one.
    """

    target: str
    state: State
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """The states of all targets of an instrumentor; ``str`` is one human-readable line."""

    targets: tuple[TargetReport, ...] = field(default=())

    def of(self, state: State) -> list[str]:
        """Return the targets in ``state``."""
        return [target.target for target in self.targets if target.state == state]

    def __str__(self) -> str:
        expected = len(self.targets) - len(self.of("absent"))
        line = f"{len(self.of('applied'))} of {expected} applied"
        waiting, missing = self.of("waiting"), self.of("missing")
        if waiting:
            line += f", {len(waiting)} waiting for import"
        return f"{line}, missing {', '.join(missing)}" if missing else line
