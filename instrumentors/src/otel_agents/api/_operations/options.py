"""The options of blocks, as their attributes require them: an application may give anything."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.encoding.texts import text_of
from otel_agents.instrumentors._core.errors import warn_once

__all__ = ["checked", "count"]

_MOST: Final = 2**63
"""Where the numbers that attributes can hold end."""


def checked(kind: str, options: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return ``options`` of a block of ``kind``, without those that are invalid, with one line."""
    return {
        name: value
        for name, given in options.items()
        if given is not None and (value := _checked(kind, name, given)) is not None
    }


def _checked(kind: str, name: str, given: Any) -> Any:
    choices = _CHOICES.get((kind, name))
    read, expected = _READERS.get(name, _ANY)
    try:
        value = read(given)
    except (TypeError, ValueError, OverflowError):
        value = None
    if choices is not None and value not in choices:
        value, expected = None, f"one of {', '.join(choices)}"
    if value is None:
        message = "otel-agents: %s(%s=…) is left out, since a %s was given that is not %s"
        warn_once(message, kind, name, type(given).__name__, expected)
    return choices[0] if value is None and choices else value


def _number(value: Any) -> float:
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number):
        raise ValueError
    return number


def _whole(value: Any) -> int:
    number = _number(value)
    if number != int(number) or abs(number) >= _MOST:
        raise ValueError
    return int(value)


def count(value: object) -> int | None:
    """Return a number of tokens; None if it is none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value < _MOST:
        return None
    return int(value) if value == int(value) else None


def _truth(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _server(value: Any) -> tuple[str, int]:
    host, port = value
    if isinstance(value, (str, bytes)):
        raise TypeError
    return text_of(host), _whole(port)


_Reader = tuple[Callable[[Any], Any], str]
_TEXT: Final[_Reader] = (text_of, "a text")
_WHOLE: Final[_Reader] = (_whole, "a whole number")
_ANY: Final[_Reader] = (lambda value: value, "valid")
_READERS: Final[Mapping[str, _Reader]] = MappingProxyType(
    {
        **dict.fromkeys(
            ("model", "provider", "description", "type", "call_id", "store", "origin", "operation"),
            _TEXT,
        ),
        **dict.fromkeys(("number", "count", "top_k", "max_tokens", "dimensions"), _WHOLE),
        "temperature": (_number, "a finite number"),
        "stream": (_truth, "True or False"),
        "server": (_server, "a pair of host and port"),
    }
)
_CHOICES: Final[Mapping[tuple[str, str], tuple[str, ...]]] = MappingProxyType(
    {
        ("inference", "operation"): ("chat", "text_completion", "generate_content"),
        ("memory", "operation"): ("search", "create", "update", "upsert", "delete"),
    }
)
"""By kind and name of an option: its values, the default first."""
