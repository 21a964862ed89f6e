"""The trees of docs/debugging.md: on the page, and as their programs draw them now."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from crew_trace import drawn

__all__ = ["shape_now", "shape_on_the_page"]

DOCS = Path(__file__).parents[1] / "docs"
Shape = tuple[str, list[Any]]
"""A line with its tokens and errors, and the sorted shapes below it."""


def shape_on_the_page(name: str) -> Shape:
    """Return the shape of the tree with this name on the page."""
    return _shape(_program()["part"]((DOCS / "debugging.md").read_text("utf-8"), name))


def shape_now(name: str) -> Shape:
    """Return the shape of the tree that the program with this name draws."""
    return _shape(_program()["drawn"](name))


def _program() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "debugging.py"))


def _shape(text: str) -> Shape:
    """Return the shape without durations and without the start order of parallel branches."""
    ((first, *rest),) = drawn(text)
    above: list[Shape] = [(first, [])]
    for line in rest:
        depth = (len(line) - len(line.lstrip())) // 2
        del above[depth:]
        shape: Shape = (line.strip(), [])
        above[-1][1].append(shape)
        above.append(shape)
    return _sorted(above[0])


def _sorted(shape: Shape) -> Shape:
    line, below = shape
    return line, sorted(map(_sorted, below), key=str)
