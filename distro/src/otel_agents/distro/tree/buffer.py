"""A bounded buffer of finished spans, assembled as trees when their root ends."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from otel_agents.distro.tree.nodes import Node

__all__ = ["Subtree", "TraceBuffer"]

MAX_TRACES: Final = 200
MAX_SPANS: Final = 2000
"""Per trace; further spans are only counted."""


@dataclass
class Subtree:
    """A part of a trace to print: a node and all below it."""

    node: Node
    children: list[Subtree]
    state: str = ""
    """``late`` or ``unfinished`` if it is not a whole trace."""
    omitted: int = 0

    def nodes(self) -> Iterator[Node]:
        """Yield this node and all below."""
        stack: list[Subtree] = [self]
        while stack:
            subtree = stack.pop()
            yield subtree.node
            stack.extend(subtree.children)


@dataclass
class _Trace:
    children: dict[int | None, list[Node]] = field(default_factory=dict[int | None, list[Node]])
    kept: int = 0
    omitted: int = 0


class TraceBuffer:
    """Collects finished nodes, and returns the subtrees to print."""

    def __init__(self) -> None:
        self._traces: OrderedDict[int, _Trace] = OrderedDict()
        self._printed: OrderedDict[int, set[int]] = OrderedDict()
        """The spans of each trace that was printed; a trace may have several roots here."""

    def add(self, node: Node) -> list[Subtree]:
        """Add ``node``; return subtrees that are complete, or evicted from the full buffer."""
        if node.root:
            return [self._complete(node)]
        if node.parent_id in self._printed.get(node.trace_id, ()):
            return [self._complete(node, "late")]
        self._keep(node)
        if len(self._traces) > MAX_TRACES:
            return self._unfinished(next(iter(self._traces)))
        return []

    def rest(self) -> list[Subtree]:
        """Return everything that is buffered, as unfinished."""
        return [
            subtree for trace_id in list(self._traces) for subtree in self._unfinished(trace_id)
        ]

    def _keep(self, node: Node) -> None:
        trace = self._traces.setdefault(node.trace_id, _Trace())
        if trace.kept >= MAX_SPANS:
            trace.omitted += 1
            return
        trace.kept += 1
        trace.children.setdefault(node.parent_id, []).append(node)

    def _complete(self, node: Node, state: str = "") -> Subtree:
        trace = self._traces.get(node.trace_id, _Trace())
        subtree = _subtree(node, trace)
        subtree.state, subtree.omitted = state, trace.omitted
        trace.omitted = 0
        if not trace.children:  # else the rest is below an open span, and will be printed with it
            self._traces.pop(node.trace_id, None)
        self._remember(subtree)
        return subtree

    def _unfinished(self, trace_id: int) -> list[Subtree]:
        trace = self._traces.pop(trace_id)
        ids = {node.span_id for nodes in trace.children.values() for node in nodes}
        above = [parent for parent in trace.children if parent not in ids]
        roots = [node for parent in above for node in trace.children.pop(parent)]
        subtrees = [_subtree(node, trace) for node in sorted(roots, key=_by_start)]
        for subtree in subtrees:
            subtree.state = "unfinished"
            self._remember(subtree)
        return subtrees

    def _remember(self, subtree: Subtree) -> None:
        trace_id = subtree.node.trace_id
        printed = self._printed.setdefault(trace_id, set())
        if len(printed) < MAX_SPANS:
            printed |= {node.span_id for node in subtree.nodes()}
        self._printed.move_to_end(trace_id)
        if len(self._printed) > MAX_TRACES:
            self._printed.popitem(last=False)


def _subtree(root: Node, trace: _Trace) -> Subtree:
    subtree = Subtree(root, [])
    stack = [subtree]
    while stack:
        parent = stack.pop()
        children = sorted(trace.children.pop(parent.node.span_id, ()), key=_by_start)
        trace.kept -= len(children)
        parent.children = [Subtree(child, []) for child in children]
        stack.extend(parent.children)
    return subtree


def _by_start(node: Node) -> tuple[int, int]:
    return node.start, node.span_id
