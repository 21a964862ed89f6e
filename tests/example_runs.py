"""Runs of the programs in ``examples`` as a user runs them, and the names in the trees they draw."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

from instrumented import plain_environ

from otel_agents.testing.scripted_model import ScriptedModel

__all__ = ["drawn_names", "run_example"]

_DURATION = re.compile(r"  +(?=[\d.]+ m?s )")


def run_example(
    program: Path, model: ScriptedModel, *, cwd: Path | None = None, **variables: str
) -> tuple[str, str]:
    """Run ``program`` under ``opentelemetry-instrument``; return its output and its drawn traces."""
    done = subprocess.run(
        [Path(sys.executable).with_name("opentelemetry-instrument"), sys.executable, program],
        cwd=cwd,
        env=plain_environ(
            {
                "OPENAI_BASE_URL": model.openai_url,
                "OPENAI_API_KEY": "none",
                "OTEL_TRACES_EXPORTER": "tree",
                "OTEL_METRICS_EXPORTER": "none",
                "OTEL_LOGS_EXPORTER": "none",
                **variables,
            }
        ),
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout, done.stderr


def drawn_names(tree: str) -> str:
    """Return the names of a drawn tree, a line each, with their indentation."""
    lines = (re.sub("[│├└─]", " ", line) for line in tree.splitlines())
    parts = [_DURATION.split(line, maxsplit=1) for line in lines]
    return "".join(f"{found[0]}\n" for found in parts if len(found) > 1)
