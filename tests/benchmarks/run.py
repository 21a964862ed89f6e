"""Runs the benchmarks and prints the tables of docs/performance.md: ratios in one run.

``make bench`` calls it with the interpreters of further environments: OpenTelemetry's own distro, all
model SDKs, and the frameworks, each with the other packages that instrument them.
``make bench ARGS=NAME`` runs one part: `PARTS` lists them. What it is about to measure goes to stderr.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from measurement import BY_HAND
from model_call import ROWS, SDK_ROWS
from packages import OURS, packages_of
from process_tables import HERE, ends, figures_of, medians_of, process_costs, starts
from tables import figure, print_header, print_row

OTHERS: Final = ("official", "openinference", "openllmetry")
ENVIRONMENTS: Final = (
    *("stock", "sdks", "crewai", "langchain", "llama-index", "dspy"),
    *("openai-agents", "ag2", "autogen"),
)
"""Those whose interpreters are the first arguments."""


def progress(*words: str) -> None:
    """Say what is measured next."""
    print("   ", *words, file=sys.stderr, flush=True)


def calls() -> None:
    """Print the overhead of calls of the OpenAI SDK."""
    print_header(
        *("call", "bare, µs", "by hand, µs", "ours, µs"),
        *("before", "ratio", "of the process", "target"),
    )
    for name, row in ROWS.items():
        progress("calls", name)
        found = medians_of(sys.executable, "model_call.py", OURS, name)
        hand, ours = found[BY_HAND], found[OURS]
        ratio, process = (ours[it] / hand[it] for it in ("caller", "process"))
        print_row(
            [
                row.what,
                figure(hand["bare"] if row.make else None, 1),
                figure(hand["caller"], 2),
                figure(ours["caller"], 2),
                figure(row.before, 2),
                figure(ratio, 2),
                figure(process, 2),
                figure(row.target, 1),
            ]
        )


def functions() -> None:
    """Print the function calls that are added."""
    subprocess.run([sys.executable, str(HERE / "function_calls.py")], check=True)


@dataclass(frozen=True)
class Compared:
    """A row that compares packages.

    Attributes:
        what: Its title.
        part: The part that it belongs to.
        library: What is instrumented.
        environment: Which has the library and the packages.
        script: Measures a package.
        kind: Its argument.
        before: Our ratio before the hot path was made shorter.
        cpu: Whose CPU is compared, the caller's or the process's.
    """

    what: str
    part: str
    library: str
    environment: str
    script: str
    kind: str = ""
    before: float | None = None
    cpu: str = "caller"

    def cells(self, python: Path) -> list[str]:
        """Measure the packages: µs by hand, and the ratio of each to them.

        Each is measured in a process of its own, over the spans by hand in that process.
        """
        by_hand = ""
        cells: dict[str, str] = dict.fromkeys((OURS, *OTHERS), "")
        for package in packages_of(self.library):
            progress(self.what, package)
            try:
                found = figures_of(python, self.script, package, self.kind)
            except RuntimeError as error:
                cells[package] = "not undone" if "not undone" in str(error) else "fails"
                progress(self.what, package, str(error)[:200])
                continue
            hand, added = found[BY_HAND], found[package]
            by_hand = by_hand or figure(hand[self.cpu], 1)
            spans = "" if added["spans"] == hand["spans"] else f" ({added['spans']:.0f})"
            cells[package] = figure(added[self.cpu] / hand[self.cpu], 2) + spans
        return [self.what, by_hand, figure(self.before, 2), *cells.values()]


COMPARED: Final = (
    *(
        Compared(row.what, "sdks", row.library, "sdks", "model_call.py", name, row.before)
        for name, row in SDK_ROWS.items()
    ),
    Compared("CrewAI, 10 steps", "crew", "crewai", "crewai", "crew_run.py", "", 2.92, "process"),
    *(
        Compared(
            f"LangGraph, 100 nodes {kind}",
            "graph",
            "langchain",
            "langchain",
            "graph_run.py",
            kind,
            before,
        )
        for kind, before in (("sync", 1.66), ("async", 1.69))
    ),
    Compared(
        "LlamaIndex, 100 steps async",
        "workflow",
        "llama_index",
        "llama-index",
        "workflow_run.py",
        "",
        1.37,
    ),
    *(
        Compared(
            f"DSPy, 100 steps {kind}", "program", "dspy", "dspy", "program_run.py", kind, before
        )
        for kind, before in (("sync", 1.79), ("async", 1.57))
    ),
    *(
        Compared(f"{what}, 10 steps async", "agents", library, environment, "agent_run.py", library)
        for what, library, environment in (
            ("OpenAI Agents SDK", "openai_agents", "openai-agents"),
            ("AG2", "ag2", "ag2"),
            ("AutoGen", "autogen", "autogen"),
        )
    ),
)
"""The rows of the table that compares packages."""


def compare(names: list[str], pythons: dict[str, Path]) -> None:
    """Print the rows of the parts that are named."""
    print_header(
        *("library", "by hand, µs", "before", "otel-agents"),
        *("OpenTelemetry", "OpenInference", "OpenLLMetry"),
    )
    for row in COMPARED:
        if row.part in names:
            print_row(row.cells(pythons[row.environment]))


OF_PACKAGES: Final = tuple(dict.fromkeys(row.part for row in COMPARED))
PARTS: Final = ("calls", "functions", *OF_PACKAGES, "process", "starts", "ends")


def main() -> int:
    """Run the parts that are named, or all; return the exit status."""
    pythons = dict(zip(ENVIRONMENTS, map(Path, sys.argv[1:]), strict=False))
    names = sys.argv[1 + len(ENVIRONMENTS) :] or [*PARTS]
    if unknown := sorted({*names} - {*PARTS}):
        print(f"unknown: {', '.join(unknown)}; the parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    parts: dict[str, Callable[[], None]] = {
        "calls": calls,
        "functions": functions,
        "process": process_costs,
        "starts": lambda: starts(pythons["stock"], pythons["sdks"]),
        "ends": ends,
    }
    if chosen := [name for name in OF_PACKAGES if name in names]:
        parts[chosen[0]] = lambda: compare(chosen, pythons)
    for name in PARTS:
        if name in names and name in parts:
            progress("part", name)
            parts[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
