"""Runs the benchmarks and prints their tables: ratios in one run, never absolute promises.

``make bench`` calls it with the interpreters of further environments: OpenTelemetry's own distro, all
model SDKs, CrewAI, LangGraph, LlamaIndex and DSPy, each with the other packages that instrument them.
``make bench ARGS=NAME`` runs one part: `PARTS` lists them.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import MappingProxyType
from typing import Final

from measurement import BY_HAND
from model_call import ROWS, SDK_ROWS
from packages import OURS, packages_of
from process_tables import ends, figures_of, process_costs, starts

OTHERS: Final = ("official", "openinference", "openllmetry")
TARGET: Final = 1.5


def calls() -> None:
    """Print the overhead of calls of the OpenAI SDK."""
    print(
        "Calls of the OpenAI SDK: CPU that is added, µs of the caller; ratios to a span by hand\n"
    )
    print(f"{'':36}{'bare':>8}{'by hand':>9}{'ours':>9}{'ratio':>7}{'process':>9}{'target':>8}")
    for name, row in ROWS.items():
        found = figures_of(sys.executable, "model_call.py", OURS, name)
        hand, ours = found[BY_HAND], found[OURS]
        ratio, process = (ours[it] / hand[it] for it in ("caller", "process"))
        print(
            f"{row.what:36}{hand['bare']:8.1f}{hand['caller']:9.2f}{ours['caller']:9.2f}"
            f"{ratio:7.2f}{process:9.2f}{row.target or '':>8}",
            flush=True,
        )


def heading(title: str) -> None:
    """Print the title and the columns of a table that compares packages."""
    print(f"\n{title}\n")
    columns = ("by hand", OURS, *OTHERS, "target")
    print(f"{'':28}" + "".join(f"{column:>15}" for column in columns))


def compared(
    what: str, library: str, measure: Callable[[str], dict[str, dict[str, float]]], cpu: str
) -> None:
    """Print the row of a library: µs by hand, and the ratio of each package to them.

    Each package is measured in a process of its own, over the spans by hand in that process.
    """
    cells: dict[str, str] = dict.fromkeys((BY_HAND, OURS, *OTHERS), "")
    problems: list[str] = []
    for package in packages_of(library):
        try:
            found = measure(package)
        except RuntimeError as error:
            cells[package] = "fails"
            problems.append(f"    {package}: {error}")
            continue
        hand, added = found[BY_HAND][cpu], found[package]
        cells[BY_HAND] = cells[BY_HAND] or f"{hand:.1f}"
        spans = "" if added["spans"] == found[BY_HAND]["spans"] else f" ({added['spans']:.0f})"
        cells[package] = f"{added[cpu] / hand:.2f}{spans}"
    print(f"{what:28}" + "".join(f"{cell:>15}" for cell in cells.values()) + f"{TARGET:15}")
    print("".join(f"{problem[:200]}\n" for problem in problems), end="", flush=True)


def sdks(python: Path) -> None:
    """Print the overhead of a chat of each SDK; ``python`` has all of them."""
    heading(
        "A chat of 1 KB with content: CPU added to the caller, µs by hand and ratios to them"
        " (spans, if not one)"
    )
    for name, row in SDK_ROWS.items():
        compared(
            row.what,
            row.library,
            lambda package, name=name: figures_of(python, "model_call.py", package, name),
            "caller",
        )


RUNS: Final = MappingProxyType(
    {
        "crew": ("CrewAI, 10 steps", "crewai", ("",), "process"),
        "graph": ("LangGraph, 100 nodes", "langchain", ("sync", "async"), "caller"),
        "workflow": ("LlamaIndex, 100 steps", "llama_index", ("async",), "caller"),
        "program": ("DSPy, 100 steps", "dspy", ("sync", "async"), "caller"),
    }
)
"""Scripts that measure a run of steps: what runs, of which library, how, whose CPU is compared."""


def runs(names: list[str], pythons: dict[str, Path]) -> None:
    """Print what instrumentation adds to each step of a run; ``pythons`` have the frameworks."""
    heading(
        "A step of a run: CPU added, µs by hand and ratios to them (spans, if other than by hand)"
    )
    for name in names:
        what, library, kinds, cpu = RUNS[name]
        for kind in kinds:
            compared(
                f"{what} {kind}",
                library,
                lambda package, kind=kind, name=name: figures_of(
                    pythons[name], f"{name}_run.py", package, kind
                ),
                cpu,
            )


PARTS: Final = ("calls", "sdks", *RUNS, "process", "starts", "ends")


def main() -> int:
    """Run the parts that are named, or all; return the exit status."""
    stock, every, crewai, langchain, llama_index, dspy = map(Path, sys.argv[1:7])
    names = sys.argv[7:] or [*PARTS]
    if unknown := sorted({*names} - {*PARTS}):
        print(f"unknown: {', '.join(unknown)}; the parts are {', '.join(PARTS)}", file=sys.stderr)
        return 2
    pythons = {"crew": crewai, "graph": langchain, "workflow": llama_index, "program": dspy}
    parts: dict[str, Callable[[], None]] = {
        "calls": calls,
        "sdks": lambda: sdks(every),
        "process": process_costs,
        "starts": lambda: starts(stock),
        "ends": ends,
    }
    if chosen := [name for name in names if name in RUNS]:
        parts = {**parts, chosen[0]: lambda: runs(chosen, pythons)}
    for name in PARTS:
        if name in names and name in parts:
            parts[name]()
    return 0


if __name__ == "__main__":
    sys.exit(main())
