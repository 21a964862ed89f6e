"""Renews the generated parts of the README: the support matrix, the settings, the picture of a trace."""

from __future__ import annotations

import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

from otel_agents.instrumentors._core.base import AgentInstrumentor
from otel_agents.instrumentors.settings import SETTINGS

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"


def matrix() -> str:
    """The support matrix, from the classes of the instrumentors."""
    rows = ["| library | versions | recorded |", "|---|---|---|"]
    for found in sorted(entry_points(group="opentelemetry_instrumentor"), key=lambda e: e.name):
        if found.name.startswith("otel_agents_"):
            kind: type[AgentInstrumentor] = found.load()
            versions = " or ".join(f"`{requirement}`" for requirement in kind.requires)
            rows.append(f"| {kind.plain_name} | {versions} | {'; '.join(kind.covers)} |")
    return "\n".join(rows)


def settings() -> str:
    """The table of settings."""
    rows = ["| variable | default | what |", "|---|---|---|"]
    rows += [f"| `{one.name}` | {one.default} | {one.what} |" for one in SETTINGS]
    return "\n".join(rows)


def tree() -> str:
    """The tree of the example that ``make demo`` runs, as it was drawn just now."""
    command = [sys.executable, str(ROOT / "examples" / "run.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT)
    drawn = done.stderr.rstrip()
    return "\n".join(f"    {line}".rstrip() for line in drawn.splitlines())


def replaced(text: str, name: str, part: str) -> str:
    """``text`` with ``part`` between the marks of ``name``."""
    marks = re.compile(f"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)
    return marks.sub(lambda found: f"{found[1]}\n{part}\n\n{found[2]}", text)


def main() -> None:
    """Write the README anew."""
    text = README.read_text()
    for name, part in (("matrix", matrix()), ("settings", settings()), ("tree", tree())):
        text = replaced(text, name, part)
    README.write_text(text)


if __name__ == "__main__":
    main()
