"""Reads variables of an environment as values of a type."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Final, TypeVar

from otel_agents.instrumentors._core.tables import Bounded

__all__ = ["LoggedValues", "Variables"]

_log = logging.getLogger("otel_agents")

_Value = TypeVar("_Value")
_Choice = TypeVar("_Choice", bound=Enum)

LoggedValues = Bounded[tuple[str, str], None]

_UNITS: Final = MappingProxyType({"kib": 1024, "mib": 1024**2, "gib": 1024**3})
_NO_LIMIT: Final = 2**62


class Variables:
    """The variables of one environment.

    A value that is not understood is told in one line, and the default taken.

    Args:
        values: Names and values.
        logged: Names and values that a line was logged about; they are not told again. None for
            nothing so far.
    """

    def __init__(self, values: Mapping[str, str], logged: LoggedValues | None = None) -> None:
        self._values = values
        self._logged: LoggedValues = Bounded(256) if logged is None else logged

    def text(self, name: str) -> str | None:
        """The text, None where it is unset or empty."""
        return self._values.get(name, "").strip() or None

    def _parsed(
        self, name: str, default: _Value, parse: Callable[[str], _Value], accepted: str
    ) -> _Value:
        text = self.text(name)
        if text is None:
            return default
        try:
            return parse(text)
        except (ValueError, KeyError):
            if (name, text) not in self._logged:
                self._logged.put((name, text), None)
                shown = default.value if isinstance(default, Enum) else default
                _log.warning(
                    "otel-agents: %s=%s is not understood; %s is used instead. Accepted: %s",
                    name,
                    text,
                    shown,
                    accepted,
                )
            return default

    def one_of(self, name: str, kind: type[_Choice], default: _Choice) -> _Choice:
        """A member of ``kind`` by its value, in any case."""
        members = {str(member.value).lower(): member for member in kind}
        accepted = ", ".join(str(member.value) for member in kind)
        return self._parsed(name, default, lambda text: members[text.lower()], accepted)

    def choice(self, name: str, values: tuple[str, ...], default: str) -> str:
        """One of ``values``, in any case."""
        known = {value: value for value in values}
        return self._parsed(name, default, lambda text: known[text.lower()], ", ".join(values))

    def flag(self, name: str, default: bool) -> bool:
        """``true`` or ``false``, in any case."""
        known = {"true": True, "false": False}
        return self._parsed(name, default, lambda text: known[text.lower()], "true, false")

    def size(self, name: str, default: int) -> int:
        """A number of at least 1, with KiB, MiB or GiB behind it if need be."""
        return self._parsed(name, default, _size, "a number of at least 1, as 60000, 64KiB or 8MiB")

    def limit(self, name: str) -> int:
        """A limit of the SDK; none where it is unset, and the SDK tells of a bad one itself."""
        text = self.text(name)
        return int(text) if text is not None and text.isdecimal() else _NO_LIMIT

    def seconds(self, name: str, default: float) -> float:
        """A number of seconds that is not negative."""
        return self._parsed(name, default, _seconds, "a number of seconds, as 5 or 0.5")

    def list(self, name: str) -> tuple[str, ...]:
        """Parts between commas."""
        return tuple(filter(None, (part.strip() for part in (self.text(name) or "").split(","))))


def _size(text: str) -> int:
    number, unit = text, 1
    if text[-3:].lower() in _UNITS:
        number, unit = text[:-3].strip(), _UNITS[text[-3:].lower()]
    size = int(number) * unit
    if size < 1:
        raise ValueError(text)
    return size


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 <= seconds < float("inf"):
        raise ValueError(text)
    return seconds
