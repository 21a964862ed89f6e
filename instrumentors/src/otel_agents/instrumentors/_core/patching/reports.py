"""What became of each target of an instrumentor."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

__all__ = ["Report", "State", "TargetReport"]

State = Literal["waiting", "applied", "missing", "absent"]


@dataclass(frozen=True)
class TargetReport:
    """What became of one target: ``waiting`` for its import, ``applied``, ``missing``, ``absent``.

    ``missing`` is a target that the installed version should have, ``absent`` one that it is known
    not to have.
    """

    target: str
    state: State
    detail: str = ""


@dataclass(frozen=True)
class Report:
    """What became of all targets of an instrumentor; ``str`` is one line for people."""

    targets: tuple[TargetReport, ...] = field(default=())

    def of(self, state: State) -> list[str]:
        """The targets in ``state``."""
        return [target.target for target in self.targets if target.state == state]

    def __str__(self) -> str:
        expected = len(self.targets) - len(self.of("absent"))
        line = f"{len(self.of('applied'))} of {expected} applied"
        waiting, missing = self.of("waiting"), self.of("missing")
        if waiting:
            line += f", {len(waiting)} wait for their import"
        return f"{line}, missing {', '.join(missing)}" if missing else line
