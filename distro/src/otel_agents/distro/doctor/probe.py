"""In a process of its own: instrument one framework, import it, tell what became of each target.

python -m otel_agents.distro.doctor.probe otel_agents_openai
"""

from __future__ import annotations

import importlib
import json
import sys
from typing import Any, Final

from otel_agents.distro.discovery import registered
from otel_agents.distro.starting.privacy import silence_frameworks
from otel_agents.instrumentors.hosting import GROUP

__all__ = ["MARK", "probe"]

MARK: Final = "otel-agents probe: "
"""Begins the line of JSON; a framework may print what it likes."""


def probe(name: str) -> dict[str, Any]:
    """The report of the instrumentor with entry point ``name``, its framework imported."""
    instrumentor: Any = registered(GROUP, name)[0].load()()
    instrumentor.instrument()  # by itself: as one that is loaded it may stand back for a rival
    modules = [row.target.partition(":")[0] for row in instrumentor.report().targets]
    failed = {module: _import(module) for module in dict.fromkeys(modules)}
    report = instrumentor.report()
    tops = {module.partition(".")[0] for module in modules}
    broken = [f"import {top} failed: {failed[top]}" for top in tops if failed.get(top)]
    if not report.targets:
        broken.append("its table of targets is empty, or making it failed")
    return {
        "summary": str(report),
        "targets": [
            {"target": row.target, "state": row.state, "detail": row.detail}
            for row in report.targets
        ],
        "problem": "; ".join(broken),
    }


def _import(module: str) -> str:
    """Import ``module``; what went wrong, or nothing."""
    try:
        importlib.import_module(module)
    except Exception as error:  # noqa: BLE001  a framework's import may raise anything
        return f"{type(error).__name__}: {error}"
    return ""


def _main() -> None:
    silence_frameworks()
    sys.stdout.write(MARK + json.dumps(probe(sys.argv[1])) + "\n")


if __name__ == "__main__":
    _main()
