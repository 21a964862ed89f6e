"""Regenerate the generated parts of the README: its tables and a trace."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from otel_agents.distro.starting.privacy import VENDOR_TELEMETRY
from otel_agents.instrumentors import AgentInstrumentor
from otel_agents.instrumentors.settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
_INSTRUMENTORS = "otel-agents-instrumentors"


def matrix() -> str:
    """Return the support matrix, from the instrumentor classes."""
    rows = ["| library | versions | recorded |", "|---|---|---|"]
    for entry_point in sorted(
        entry_points(group="opentelemetry_instrumentor"), key=lambda e: e.name
    ):
        if (
            entry_point.dist and entry_point.dist.name == _INSTRUMENTORS
        ):  # an example may register one, too
            kind: type[AgentInstrumentor] = entry_point.load()
            versions = " or ".join(f"`{requirement}`" for requirement in kind.requires)
            rows.append(f"| {kind.plain_name} | {versions} | {'; '.join(kind.covers)} |")
    return "\n".join(rows)


def settings() -> str:
    """Return the table of settings."""
    rows = ["| variable | default | description |", "|---|---|---|"]
    rows += [f"| `{row.name}` | {row.default} | {row.description} |" for row in SETTINGS]
    return "\n".join(rows)


def privacy() -> str:
    """Return the table of vendor telemetry, which is off by default."""
    rows = ["| library | what it sends to its vendor | what otel-agents does | to enable it |"]
    rows.append("|---|---|---|---|")
    for row in VENDOR_TELEMETRY:
        done = "stops only the sending" if row.senders else f"sets `{row.variable}={row.off}`"
        rows.append(f"| {row.library} | {row.what} | {done} | `{row.variable}={row.on}` |")
    return "\n".join(rows)


def faults() -> str:
    """Return the table of faults, which the test suites measure (`tests/faults.py`)."""
    rows = ["| fault | spans sent | spans arrived | why |", "|---|---|---|---|"]
    for row in json.loads((ROOT / "docs/faults.json").read_text("utf-8")):
        arrived = row["arrived"]
        shown = arrived if isinstance(arrived, int) else " to ".join(map(str, arrived))
        rows.append(f"| {row['fault']} | {row['sent']} | {shown} | {row['why']} |")
    return "\n".join(rows)


def processes() -> str:
    """Return the table of process models, which the test suites measure (`tests/process_models.py`)."""
    rows = ["| process model | ended by | spans | metrics | remark |", "|---|---|---|---|---|"]
    for row in json.loads((ROOT / "docs/processes.json").read_text("utf-8")):
        spans, points = (f"{row['requests']} / {row[name]}" for name in ("spans", "points"))
        rows.append(f"| {row['shown']} | {row['ended']} | {spans} | {points} | {row['remark']} |")
    return "\n".join(rows)


def tree() -> str:
    """Run ``make demo`` and return the tree of its crew."""
    command = [sys.executable, "-m", "otel_agents.distro.demo"]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    *_, drawn = re.split("(?m)^(?=.* · trace )", done.stderr.rstrip())
    return "\n".join(f"    {line}".rstrip() for line in drawn.splitlines())


def replaced(text: str, name: str, part: str) -> str:
    """Return ``text`` with ``part`` between the marks of ``name``."""
    marks = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return marks.sub(lambda match: f"{match[1]}\n{part}\n\n{match[2]}", text)


def main() -> None:
    """Replace the generated parts of the README."""
    text = README.read_text()
    for part in (matrix, settings, privacy, faults, processes, tree):
        text = replaced(text, part.__name__, part())
    README.write_text(text)


if __name__ == "__main__":
    main()
