"""The options of blocks, as their attributes require them: an application may give anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_agents.instrumentors._core.encoding.texts import text_of
from otel_agents.instrumentors._core.errors import warn_once

__all__ = ["checked", "count"]

_MOST: Final = 2**63
"""Where the numbers that attributes can hold end."""


def checked(kind: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``options`` of a block of ``kind``, without those that are invalid, with one line."""
    found: dict[str, Any] = {}
    for name, given in options.items():
        if given is None:
            continue
        option = _OPTIONS.get(name) or _OF_KINDS.get((kind, name))
        if option is None or (option is _TEXT and type(given) is str):
            found[name] = given
        elif (value := _read(option, kind, name, given)) is not None:
            found[name] = value
    return found


class _Option(NamedTuple):
    """How to read the value of an option: ``read`` raises if it is invalid."""

    read: Callable[[Any], Any]
    expected: str
    default: str | None = None


def _read(option: _Option, kind: str, name: str, given: Any) -> Any:
    try:
        return option.read(given)
    except (TypeError, ValueError, OverflowError):
        message = (
            "otel-agents: %s(%s=…) is left out, since a value of type %s was given, and not %s"
        )
        warn_once(message, kind, name, type(given).__name__, option.expected)
        return option.default


def _number(value: Any) -> float:
    if type(value) is float and -math.inf < value < math.inf:
        return value
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError
    return number


def _whole(value: Any) -> int:
    if type(value) is int and -_MOST < value < _MOST:
        return value
    number = _number(value)
    if number != int(number) or abs(number) >= _MOST:
        raise ValueError
    return int(value)


def count(value: object) -> int | None:
    """Return a number of tokens; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _MOST:
        return None
    return int(value) if value == int(value) else None


def _truth(value: Any) -> bool:
    if not isinstance(value, bool):
        raise TypeError
    return value


def _server(value: Any) -> tuple[str, int]:
    if isinstance(value, (str, bytes)):
        raise TypeError
    host, port = value
    return text_of(host), _whole(port)


def _one_of(*values: str) -> _Option:
    """Return an option that has these values, the default first."""

    def read(value: Any) -> str:
        return values[values.index(value)]

    return _Option(read, f"one of {', '.join(values)}", values[0])


_TEXT: Final = _Option(text_of, "a text")
_WHOLE: Final = _Option(_whole, "a whole number")
_OPTIONS: Final[Mapping[str, _Option]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("model", "provider", "description", "type", "call_id", "store", "origin"), _TEXT
        ),
        **dict.fromkeys(("number", "count", "top_k", "max_tokens", "dimensions"), _WHOLE),
        "temperature": _Option(_number, "a finite number"),
        "stream": _Option(_truth, "True or False"),
        "server": _Option(_server, "a pair of host and port"),
    }
)
_OF_KINDS: Final = MappingProxyType(
    {
        ("inference", "operation"): _one_of("chat", "text_completion", "generate_content"),
        ("memory", "operation"): _one_of("search", "create", "update", "upsert", "delete"),
    }
)
"""Options that have a meaning in one kind of block alone."""
