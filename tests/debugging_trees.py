"""The trees of the pages in docs: on the page, and as their programs draw them now."""

from __future__ import annotations

import runpy
from pathlib import Path
from typing import Any

from crew_trace import drawn

from otel_agents.distro.demo.programs import Program

__all__ = ["drawn_now", "local", "scripted", "shape_now", "shape_on_the_page", "shapes_of"]

DOCS = Path(__file__).parents[1] / "docs"
Shape = tuple[str, list[Any]]
"""A line with its tokens and errors, and the sorted shapes below it."""


def shape_on_the_page(name: str) -> list[Shape]:
    """Return the shapes of the trees with this name on their page."""
    program = _program()
    page = DOCS / program["PROGRAMS"][name].page
    return shapes_of(program["part"](page.read_text("utf-8"), name))


def shape_now(name: str) -> list[Shape]:
    """Return the shapes of the trees that the program with this name draws."""
    return shapes_of(drawn_now(name))


def drawn_now(name: str) -> str:
    """Return the trees that the program with this name draws."""
    return _program()["drawn"](name)


def shapes_of(text: str) -> list[Shape]:
    """Return the shapes of drawn trees."""
    return [_shape(tree) for tree in drawn(text)]


def scripted(name: str) -> Program:
    """Return the program with this name, and its script for the model."""
    program = _program()["PROGRAMS"][name]
    return Program(DOCS.parent / program.path, lambda model: model.script_by(program.react))


def local(folder: Path) -> dict[str, str]:
    """Return the variables with which frameworks stay off the network, and write to a folder."""
    return _program()["local"](str(folder))


def _program() -> dict[str, Any]:
    return runpy.run_path(str(DOCS / "debugging.py"))


def _shape(lines: list[str]) -> Shape:
    """Return the shape without durations and without the start order of parallel branches."""
    first, *rest = lines
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
