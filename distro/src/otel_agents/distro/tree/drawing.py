"""Drawing of one trace: branches, durations, bars on a common time line, tokens, errors."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from otel_agents.distro.tree.buffer import Subtree
from otel_agents.distro.tree.nodes import Kind, Node

__all__ = ["ASCII", "UNICODE", "Canvas", "LineCharacters", "draw"]


@dataclass(frozen=True)
class LineCharacters:
    """The characters of lines, bars and signs."""

    branch: str
    last: str
    through: str
    bar: str
    arrow: str
    error: str
    dot: str
    ellipsis: str
    input: str
    output: str

    @property
    def sample(self) -> str:
        """All characters, which a stream must be able to encode."""
        return "".join(vars(self).values())


UNICODE: Final = LineCharacters("├─ ", "└─ ", "│  ", "━", "→", "✗", "·", "…", "»", "«")
ASCII: Final = LineCharacters("|- ", "`- ", "|  ", "=", "->", "!", "-", "...", ">", "<")


@dataclass(frozen=True)
class Canvas:
    """The output's width in columns, characters and colour."""

    width: int
    characters: LineCharacters
    color: bool


_BAR: Final = 16
_DURATION: Final = 8
_CODES: Final = MappingProxyType(
    {"dim": "2", "bold": "1", "red": "31", "agent": "1;36", "model": "32", "tool": "33"}
)
_DEEPEST: Final = 24
_FAILED: Final = "failed"
_NOT_RUN: Final = frozenset(("skipped", "stored"))
"""Outcomes of steps that did not run."""


@dataclass(frozen=True)
class _Row:
    stem: str
    node: Node
    label: str
    below: str
    """The prefix of further lines of this node."""

    def width(self) -> int:
        return _columns(self.stem + self.label)


def draw(subtree: Subtree, canvas: Canvas) -> str:
    """Return the lines of one subtree, the last one empty."""
    rows = list(_rows(subtree, canvas.characters))
    widest = max(row.width() for row in rows)
    label = min(widest, max(canvas.width - _DURATION - _BAR - 26, 20))
    lines = [_heading(subtree, canvas)]
    for row in rows:
        lines.append(_line(row, subtree.node, label, canvas))
        lines.extend(_content(row, canvas))
    if subtree.omitted:
        lines.append(
            _paint(f"{canvas.characters.ellipsis} {subtree.omitted:,} more spans", "dim", canvas)
        )
    return "\n".join([*lines, "", ""])


def _rows(subtree: Subtree, characters: LineCharacters) -> Iterator[_Row]:
    """Yield rows depth first; with a stack, since a trace may exceed Python's recursion limit."""
    stack = [(subtree, "", "", 0)]
    while stack:
        subtree, stem, below, depth = stack.pop()
        label = _label(subtree.node, characters)
        yield _Row(
            stem, subtree.node, label, below + (characters.through if subtree.children else "")
        )
        deeper = depth < _DEEPEST  # below it they stay in one column, else names have no room
        for branch in reversed(subtree.children):
            last = branch is subtree.children[-1]
            own = below + (characters.last if last else characters.branch) if deeper else stem
            under = below + ("   " if last else characters.through) if deeper else below
            stack.append((branch, own, under, depth + 1))


def _label(node: Node, characters: LineCharacters) -> str:
    """Return a node's name, position and outcome."""
    outcome = node.outcome
    if outcome in _NOT_RUN:
        outcome = f"({outcome})"
    elif outcome:
        outcome = f"{characters.error if outcome == _FAILED else characters.arrow} {outcome}"
    return " ".join(filter(None, (node.name, node.position, outcome)))


def _heading(subtree: Subtree, canvas: Canvas) -> str:
    nodes = list(subtree.nodes())
    models = sum(node.kind == "model" for node in nodes)
    tools = sum(node.kind == "tool" for node in nodes)
    errors = sum(node.error is not None for node in nodes)
    parts = [
        _paint(subtree.node.service or "trace", "bold", canvas),
        subtree.state,
        _counted(models, "model call"),
        _counted(tools, "tool call"),
        _total(nodes, canvas.characters),
        _cost(nodes),
        _paint(_counted(errors, "error"), "red", canvas) if errors else "",
        _paint(f"trace {subtree.node.trace_id:032x}", "dim", canvas),
    ]
    return f" {canvas.characters.dot} ".join(filter(None, parts))


def _total(nodes: Iterable[Node], characters: LineCharacters) -> str:
    """Return the tokens of the model calls; an agent's span only repeats their sum."""
    used = [node for node in nodes if node.kind == "model"]
    taken = sum(node.input_tokens or 0 for node in used)
    given = sum(node.output_tokens or 0 for node in used)
    return f"{taken:,} {characters.arrow} {given:,} tokens" if taken or given else ""


def _cost(nodes: Iterable[Node]) -> str:
    """Return the cost of the model calls, as far as it is known."""
    cost = sum(node.cost for node in nodes if node.kind == "model")
    return f"${cost:.4f}" if cost else ""


def _line(row: _Row, root: Node, label: int, canvas: Canvas) -> str:
    node = row.node
    room = label - _columns(row.stem)
    shown = _truncate(row.label, room, canvas.characters)
    pad = " " * max(room - _columns(shown), 0)
    color = "red" if node.outcome == _FAILED else node.kind
    columns = [
        _paint(row.stem, "dim", canvas) + _paint(shown, color, canvas) + pad,
        _duration(node.end - node.start).rjust(_DURATION),
        _paint(_bar(node, root, canvas.characters), node.kind, canvas),
        " ".join(_remarks(node, canvas)),
    ]
    return "  ".join(columns).rstrip()


def _remarks(node: Node, canvas: Canvas) -> Iterator[str]:
    characters = canvas.characters
    if node.input_tokens is not None or node.output_tokens is not None:
        yield f"{node.input_tokens or 0:,} {characters.arrow} {node.output_tokens or 0:,}"
    if node.details:
        yield _paint(f"({', '.join(node.details)})", "dim", canvas)
    if node.error is not None:
        yield _paint(f"{characters.error} {node.error}", "red", canvas)


def _bar(node: Node, root: Node, characters: LineCharacters) -> str:
    """Return the node's time within the root's, at least one character wide."""
    whole = max(root.end - root.start, 1)
    first = round((node.start - root.start) / whole * _BAR)
    first = min(max(first, 0), _BAR - 1)
    last = round((node.end - root.start) / whole * _BAR)
    last = min(max(last, first + 1), _BAR)
    return (" " * first + characters.bar * (last - first)).ljust(_BAR)


def _content(row: _Row, canvas: Canvas) -> Iterator[str]:
    characters = canvas.characters
    for direction, text in row.node.content:
        sign = characters.input if direction == "in" else characters.output
        room = canvas.width - _columns(row.below) - 2
        line = f"{row.below}{sign} {_truncate(text, room, characters)}"
        yield _paint(line, "dim", canvas)


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


def _paint(text: str, how: Kind | str, canvas: Canvas) -> str:
    code = _CODES.get(how)
    return f"\x1b[{code}m{text}\x1b[0m" if canvas.color and code and text else text


def _truncate(text: str, room: int, characters: LineCharacters) -> str:
    if _columns(text) <= room:
        return text
    left = max(room - len(characters.ellipsis), 0)
    while _columns(text) > left:
        text = text[:-1]
    return text + characters.ellipsis


def _columns(text: str) -> int:
    """Return the columns in a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    return sum(
        0 if unicodedata.combining(char) else 2 if unicodedata.east_asian_width(char) in "WF" else 1
        for char in text
    )
