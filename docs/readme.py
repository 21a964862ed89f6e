"""Renews the generated parts of the README: its tables, and a trace."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from otel_agents.distro.starting.privacy import PHONE_HOME
from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.instrumentors.settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_INSTRUMENTORS = "otel-agents-instrumentors"


def matrix() -> str:
    """The support matrix, from the classes of the instrumentors."""
    rows = ["| library | versions | recorded |", "|---|---|---|"]
    for found in sorted(entry_points(group="opentelemetry_instrumentor"), key=lambda e: e.name):
        if found.dist and found.dist.name == _INSTRUMENTORS:  # an example may have one, too
            kind: type[AgentInstrumentor] = found.load()
            versions = " or ".join(f"`{requirement}`" for requirement in kind.requires)
            rows.append(f"| {kind.plain_name} | {versions} | {'; '.join(kind.covers)} |")
    return "\n".join(rows)


def settings() -> str:
    """The table of settings."""
    rows = ["| variable | default | what |", "|---|---|---|"]
    rows += [f"| `{one.name}` | {one.default} | {one.description} |" for one in SETTINGS]
    return "\n".join(rows)


def homeward() -> str:
    """The table of what is not told to makers of libraries."""
    rows = ["| library | what it would tell its maker | what is done | to have it told |"]
    rows.append("|---|---|---|---|")
    for one in PHONE_HOME:
        done = (
            "the sending alone is stopped" if one.senders else f"`{one.variable}={one.off}` is set"
        )
        rows.append(f"| {one.library} | {one.what} | {done} | `{one.variable}={one.on}` |")
    return "\n".join(rows)


def faults() -> str:
    """The table of faults, which the suites measure (`tests/faults.py`)."""
    rows = ["| fault | spans sent | spans arrived | why |", "|---|---|---|---|"]
    for row in json.loads((ROOT / "docs/faults.json").read_text("utf-8")):
        arrived = row["arrived"]
        shown = arrived if isinstance(arrived, int) else " to ".join(map(str, arrived))
        rows.append(f"| {row['fault']} | {row['sent']} | {shown} | {row['why']} |")
    return "\n".join(rows)


def processes() -> str:
    """The table of process models, which the suites measure (`tests/process_models.py`)."""
    rows = ["| process model | ended by | spans | metrics | remark |", "|---|---|---|---|---|"]
    for row in json.loads((ROOT / "docs/processes.json").read_text("utf-8")):
        spans, points = (f"{row['asked']} / {row[name]}" for name in ("spans", "points"))
        rows.append(f"| {row['shown']} | {row['ended']} | {spans} | {points} | {row['remark']} |")
    return "\n".join(rows)


def tree() -> str:
    """The tree of the crew that ``make demo`` runs, as it was drawn just now."""
    command = [sys.executable, "-m", "otel_agents.distro.demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    *_, drawn = re.split("(?m)^(?=.* · trace )", done.stderr.rstrip())
    return "\n".join(f"    {line}".rstrip() for line in drawn.splitlines())


def replaced(text: str, name: str, part: str) -> str:
    """``text`` with ``part`` between the marks of ``name``."""
    marks = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}\n{part}\n\n{found[2]}", text)


def main() -> None:
    """Write the README anew."""
    text = README.read_text()
    for part in (matrix, settings, homeward, faults, processes, tree):
        text = replaced(text, part.__name__, part())
    README.write_text(text)


if __name__ == "__main__":
    main()
