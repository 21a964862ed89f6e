"""Typed access to environment variables."""

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

    An invalid value is logged once, and the default is used.

    Args:
        values: Names and values.
        logged: Names and invalid values that were logged already; None for none.
    """

    def __init__(self, values: Mapping[str, str], logged: LoggedValues | None = None) -> None:
        self._values = values
        self._logged: LoggedValues = Bounded(256) if logged is None else logged

    def text(self, name: str) -> str | None:
        """Return the text, None if it is unset or empty."""
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
                shown = str(shown).lower() if isinstance(shown, bool) else shown
                _log.warning(
                    "otel-agents: %s=%s is invalid; %s is used instead. Accepted: %s",
                    name,
                    text,
                    shown,
                    accepted,
                )
            return default

    def one_of(self, name: str, kind: type[_Choice], default: _Choice) -> _Choice:
        """Return a member of ``kind`` by its value, in any case."""
        members = {str(member.value).lower(): member for member in kind}
        accepted = ", ".join(str(member.value) for member in kind)
        return self._parsed(name, default, lambda text: members[text.lower()], accepted)

    def choice(self, name: str, values: tuple[str, ...], default: str) -> str:
        """Return one of ``values``, in any case."""
        known = {value: value for value in values}
        return self._parsed(name, default, lambda text: known[text.lower()], ", ".join(values))

    def flag(self, name: str, default: bool) -> bool:
        """Return ``true`` or ``false``, in any case, as a bool."""
        known = {"true": True, "false": False}
        return self._parsed(name, default, lambda text: known[text.lower()], "true, false")

    def size(self, name: str, default: int) -> int:
        """Return a number of at least 1; KiB, MiB or GiB may follow it."""
        return self._parsed(
            name, default, _size, "a number of at least 1, such as 60000, 64KiB or 8MiB"
        )

    def limit(self, name: str) -> int:
        """Return an SDK limit, or no limit if it is unset or invalid: the SDK logs invalid ones."""
        text = self.text(name)
        return int(text) if text is not None and text.isdecimal() else _NO_LIMIT

    def seconds(self, name: str, default: float) -> float:
        """Return a number of seconds that is not negative."""
        return self._parsed(name, default, _seconds, "a number of seconds, such as 5 or 0.5")

    def list(self, name: str) -> tuple[str, ...]:
        """Return the comma-separated parts."""
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
