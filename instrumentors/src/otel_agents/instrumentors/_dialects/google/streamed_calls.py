"""Calls whose arguments Vertex AI streams: values and parts of texts, each with its path in JSON."""

from __future__ import annotations

import re
from typing import Any, Final, cast

from .spellings import field, items, text

__all__ = ["StreamedCall"]

_STEP: Final = re.compile(r"\.([^.\[]+)|\[(\d+)\]|\['([^']*)'\]|\[\"([^\"]*)\"\]")
"""A step of a JSON Path (RFC 9535), such as those of ``$.foo['bar'][0].data``."""
_VALUES: Final = ("string_value", "number_value", "bool_value")

_Node = dict[str | int, Any]


class StreamedCall:
    """A call of a function whose first chunk has the name, and others parts of the arguments."""

    __slots__ = ("_arguments", "_id", "_name")

    def __init__(self, call: Any) -> None:
        self._id, self._name = text(call, "id"), text(call, "name")
        self._arguments: _Node = {}

    def add(self, call: Any) -> None:
        """Add the arguments in a chunk. A text that is continued has the same path again."""
        for argument in items(call, "partial_args"):
            *path, last = _steps(text(argument, "json_path") or "") or ("",)
            node = self._arguments
            for step in path:
                if not isinstance(node.get(step), dict):
                    node[step] = _Node()
                node = cast(_Node, node[step])
            known, value = node.get(last), _value(argument)
            if isinstance(known, str) and isinstance(value, str):
                value = known + value
            node[last] = value

    def part(self) -> dict[str, Any]:
        """Return the call in the shape of a whole response."""
        arguments = _assembled(self._arguments)
        return {"function_call": {"id": self._id, "name": self._name, "args": arguments}}


def _steps(path: str) -> list[str | int]:
    found = _STEP.finditer(path)
    return [int(step[2]) if step[2] else step[1] or step[3] or step[4] or "" for step in found]


def _value(argument: Any) -> Any:
    return next((v for name in _VALUES if (v := field(argument, name)) is not None), None)


def _assembled(node: Any) -> Any:
    """Return an object, or a list if all its keys are indexes; values that were skipped are left out."""
    if not isinstance(node, dict):
        return node
    children = cast(_Node, node)
    if children and all(isinstance(key, int) for key in children):
        return [_assembled(children[key]) for key in sorted(children, key=int)]
    return {str(key): _assembled(value) for key, value in children.items()}
