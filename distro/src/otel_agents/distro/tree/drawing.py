"""Drawing one trace: branches, durations, a bar on the common time line, tokens, errors."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from otel_agents.distro.tree.gathering import Trunk
from otel_agents.distro.tree.nodes import Kind, Node

__all__ = ["ASCII", "UNICODE", "Paper", "Strokes", "draw"]


@dataclass(frozen=True)
class Strokes:
    """The characters to draw with."""

    branch: str
    last: str
    through: str
    bar: str
    arrow: str
    error: str
    dot: str
    cut: str
    into: str
    out_of: str

    @property
    def sample(self) -> str:
        """All of them: what a stream must be able to encode."""
        return "".join(vars(self).values())


UNICODE: Final = Strokes("├─ ", "└─ ", "│  ", "━", "→", "✗", "·", "…", "»", "«")
ASCII: Final = Strokes("|- ", "`- ", "|  ", "=", "->", "!", "-", "...", ">", "<")


@dataclass(frozen=True)
class Paper:
    """What is drawn on: columns, characters, and whether colours show."""

    width: int
    strokes: Strokes
    color: bool


_BAR: Final = 16
_DURATION: Final = 8
_CODES: Final = MappingProxyType(
    {"dim": "2", "bold": "1", "red": "31", "agent": "1;36", "model": "32", "tool": "33"}
)
_DEEPEST: Final = 24
_FAILED: Final = "failed"
_NOT_RUN: Final = frozenset(("skipped", "stored"))
"""Outcomes of what something else stands for, or nothing."""


@dataclass(frozen=True)
class _Row:
    stem: str
    node: Node
    label: str
    below: str
    """What stands before lines that belong to this node."""

    def width(self) -> int:
        return _columns(self.stem + self.label)


def draw(trunk: Trunk, paper: Paper) -> str:
    """The lines of one trunk, the last one empty."""
    rows = list(_rows(trunk, paper.strokes))
    widest = max(row.width() for row in rows)
    label = min(widest, max(paper.width - _DURATION - _BAR - 26, 20))
    lines = [_heading(trunk, paper)]
    for row in rows:
        lines.append(_line(row, trunk.node, label, paper))
        lines.extend(_said(row, paper))
    if trunk.omitted:
        lines.append(_paint(f"{paper.strokes.cut} {trunk.omitted:,} more spans", "dim", paper))
    return "\n".join([*lines, "", ""])


def _rows(trunk: Trunk, strokes: Strokes) -> Iterator[_Row]:
    """Depth first; a stack, since a trace may be deeper than Python's recursion."""
    stack = [(trunk, "", "", 0)]
    while stack:
        trunk, stem, below, depth = stack.pop()
        label = _label(trunk.node, strokes)
        yield _Row(stem, trunk.node, label, below + (strokes.through if trunk.branches else ""))
        deeper = depth < _DEEPEST  # beyond it they stay in one column, else names have no room
        for branch in reversed(trunk.branches):
            last = branch is trunk.branches[-1]
            own = below + (strokes.last if last else strokes.branch) if deeper else stem
            under = below + ("   " if last else strokes.through) if deeper else below
            stack.append((branch, own, under, depth + 1))


def _label(node: Node, strokes: Strokes) -> str:
    """Its name, which of several it is, and what was decided."""
    outcome = node.outcome
    if outcome in _NOT_RUN:
        outcome = f"({outcome})"
    elif outcome:
        outcome = f"{strokes.error if outcome == _FAILED else strokes.arrow} {outcome}"
    return " ".join(filter(None, (node.name, node.which, outcome)))


def _heading(trunk: Trunk, paper: Paper) -> str:
    nodes = list(trunk.nodes())
    models = sum(node.kind == "model" for node in nodes)
    tools = sum(node.kind == "tool" for node in nodes)
    errors = sum(node.error is not None for node in nodes)
    parts = [
        _paint(trunk.node.service or "trace", "bold", paper),
        trunk.inform,
        _counted(models, "model call"),
        _counted(tools, "tool call"),
        _total(nodes, paper.strokes),
        _paint(_counted(errors, "error"), "red", paper) if errors else "",
        _paint(f"trace {trunk.node.trace_id:032x}", "dim", paper),
    ]
    return f" {paper.strokes.dot} ".join(filter(None, parts))


def _total(nodes: Iterable[Node], strokes: Strokes) -> str:
    """What the model calls used; an agent's span repeats the sum of those below it."""
    used = [node for node in nodes if node.kind == "model"]
    taken = sum(node.input_tokens or 0 for node in used)
    given = sum(node.output_tokens or 0 for node in used)
    return f"{taken:,} {strokes.arrow} {given:,} tokens" if taken or given else ""


def _line(row: _Row, top: Node, label: int, paper: Paper) -> str:
    node = row.node
    room = label - _columns(row.stem)
    shown = _cut(row.label, room, paper.strokes)
    pad = " " * max(room - _columns(shown), 0)
    color = "red" if node.outcome == _FAILED else node.kind
    columns = [
        _paint(row.stem, "dim", paper) + _paint(shown, color, paper) + pad,
        _duration(node.end - node.start).rjust(_DURATION),
        _paint(_bar(node, top, paper.strokes), node.kind, paper),
        " ".join(_remarks(node, paper)),
    ]
    return "  ".join(columns).rstrip()


def _remarks(node: Node, paper: Paper) -> Iterator[str]:
    strokes = paper.strokes
    if node.input_tokens is not None or node.output_tokens is not None:
        yield f"{node.input_tokens or 0:,} {strokes.arrow} {node.output_tokens or 0:,}"
    if node.details:
        yield _paint(f"({', '.join(node.details)})", "dim", paper)
    if node.error is not None:
        yield _paint(f"{strokes.error} {node.error}", "red", paper)


def _bar(node: Node, top: Node, strokes: Strokes) -> str:
    """When it ran, within its topmost span; at least one stroke wide."""
    whole = max(top.end - top.start, 1)
    first = round((node.start - top.start) / whole * _BAR)
    first = min(max(first, 0), _BAR - 1)
    last = round((node.end - top.start) / whole * _BAR)
    last = min(max(last, first + 1), _BAR)
    return (" " * first + strokes.bar * (last - first)).ljust(_BAR)


def _said(row: _Row, paper: Paper) -> Iterator[str]:
    strokes = paper.strokes
    for way, text in row.node.said:
        sign = strokes.into if way == "in" else strokes.out_of
        room = paper.width - _columns(row.below) - 2
        line = f"{row.below}{sign} {_cut(text, room, strokes)}"
        yield _paint(line, "dim", paper)


def _duration(nanoseconds: int) -> str:
    seconds = max(nanoseconds, 0) / 1e9
    if seconds < 0.001:
        return f"{seconds * 1e3:.1f} ms"
    if seconds < 0.9995:
        return f"{seconds * 1e3:.0f} ms"
    if seconds < 59.995:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} m {rest:02d} s"


def _counted(number: int, thing: str) -> str:
    return f"{number} {thing}{'' if number == 1 else 's'}" if number else ""


def _paint(text: str, how: Kind | str, paper: Paper) -> str:
    code = _CODES.get(how)
    return f"\x1b[{code}m{text}\x1b[0m" if paper.color and code and text else text


def _cut(text: str, room: int, strokes: Strokes) -> str:
    if _columns(text) <= room:
        return text
    left = max(room - len(strokes.cut), 0)
    while _columns(text) > left:
        text = text[:-1]
    return text + strokes.cut


def _columns(text: str) -> int:
    """Columns in a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
