"""Finished spans until their root ends: bounded, and put together as trees."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from otel_agents.distro.tree.nodes import Node

__all__ = ["Gathering", "Trunk"]

MAX_TRACES: Final = 200
MAX_SPANS: Final = 2000
"""Of one trace; more are only counted."""
_REMEMBERED: Final = 1000


@dataclass
class Trunk:
    """A part of a trace to print: its topmost node and all below it."""

    node: Node
    branches: list[Trunk]
    inform: str = ""
    """``late`` or ``unfinished``, for what is not a whole trace."""
    omitted: int = 0

    def nodes(self) -> Iterator[Node]:
        """This node and all below."""
        stack: list[Trunk] = [self]
        while stack:
            trunk = stack.pop()
            yield trunk.node
            stack.extend(trunk.branches)


@dataclass
class _Trace:
    children: dict[int | None, list[Node]] = field(default_factory=dict[int | None, list[Node]])
    kept: int = 0
    omitted: int = 0


class Gathering:
    """Takes finished nodes, gives back what is to be printed now."""

    def __init__(self) -> None:
        self._traces: OrderedDict[int, _Trace] = OrderedDict()
        self._printed: OrderedDict[int, None] = OrderedDict()

    def add(self, node: Node) -> list[Trunk]:
        """Take ``node``; trunks that are complete, or gave way because too much waits."""
        if node.root:
            return [self._complete(node)]
        if node.trace_id in self._printed:
            return [self._complete(node, "late")]
        self._keep(node)
        if len(self._traces) > MAX_TRACES:
            return self._unfinished(next(iter(self._traces)))
        return []

    def rest(self) -> list[Trunk]:
        """Everything that waits."""
        return [trunk for trace_id in list(self._traces) for trunk in self._unfinished(trace_id)]

    def _keep(self, node: Node) -> None:
        trace = self._traces.setdefault(node.trace_id, _Trace())
        if trace.kept >= MAX_SPANS:
            trace.omitted += 1
            return
        trace.kept += 1
        trace.children.setdefault(node.parent_id, []).append(node)

    def _complete(self, node: Node, inform: str = "") -> Trunk:
        trace = self._traces.get(node.trace_id, _Trace())
        trunk = _grow(node, trace)
        trunk.inform, trunk.omitted = inform, trace.omitted
        trace.omitted = 0
        if not trace.children:  # else spans below one that is still open; it will be late
            self._traces.pop(node.trace_id, None)
        self._remember(node.trace_id)
        return trunk

    def _unfinished(self, trace_id: int) -> list[Trunk]:
        trace = self._traces.pop(trace_id)
        self._remember(trace_id)
        ids = {node.span_id for nodes in trace.children.values() for node in nodes}
        above = [parent for parent in trace.children if parent not in ids]
        tops = [node for parent in above for node in trace.children.pop(parent)]
        trunks = [_grow(node, trace) for node in sorted(tops, key=_by_start)]
        for trunk in trunks:
            trunk.inform = "unfinished"
        return trunks

    def _remember(self, trace_id: int) -> None:
        self._printed[trace_id] = None
        self._printed.move_to_end(trace_id)
        if len(self._printed) > _REMEMBERED:
            self._printed.popitem(last=False)


def _grow(top: Node, trace: _Trace) -> Trunk:
    trunk = Trunk(top, [])
    stack = [trunk]
    while stack:
        parent = stack.pop()
        children = sorted(trace.children.pop(parent.node.span_id, ()), key=_by_start)
        trace.kept -= len(children)
        parent.branches = [Trunk(child, []) for child in children]
        stack.extend(parent.branches)
    return trunk


def _by_start(node: Node) -> tuple[int, int]:
    return node.start, node.span_id
