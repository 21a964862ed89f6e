"""Attributes that the application has chosen for the metrics of tokens and durations."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.context.scope import Scope, scope_of
from otel_agents.instrumentors._core.errors import warn
from otel_agents.instrumentors._core.tables import Bounded, Counts
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.registry import REGISTRY

from .identity import TAG

__all__ = ["OVERFLOW", "ChosenAttributes"]

_MOST_VALUES: Final = 200
_MOST_NAMES: Final = 32
OVERFLOW: Final = "_OTHER"
"""The value of an attribute beyond its limit."""

_values: Final[Bounded[str, Counts]] = Bounded(_MOST_NAMES)
"""The values of each attribute so far; all instrumentors share them."""


class ChosenAttributes:
    """Reads the chosen attributes of an operation, each with a limited number of values.

    Args:
        names: Names of attributes; a name that is none is the key of a tag.
        overflowed: Called with the name of an attribute for each value beyond its limit.
    """

    __slots__ = ("_overflowed", "names")

    def __init__(self, names: tuple[str, ...], overflowed: Callable[[str], None]) -> None:
        self.names = tuple(map(_attribute, names))[:_MOST_NAMES]
        self._overflowed = overflowed

    def of(self, context: Context, known: Mapping[str, Any]) -> dict[str, Any]:
        """Return the attributes of an operation that worked in ``context``.

        Args:
            context: The context, which has what the span has not: the agent around it.
            known: The attributes of the span.
        """
        scope = scope_of(context)
        found: dict[str, Any] = {}
        for name in self.names:
            value = known.get(name)
            if value is None:
                value = _of_scope(name, scope)
            if isinstance(value, (str, bool, int)):
                found[name] = self._limited(name, value)
        return found

    def _limited(self, name: str, value: Any) -> Any:
        values = _values.get(name) or _values.setdefault(name, Counts(_MOST_VALUES))
        text = str(value)
        if text in values:
            return value
        if len(values) < _MOST_VALUES:
            values.add(text)
            return value
        if values.add(OVERFLOW):
            warn(
                "otel-agents: the metric attribute %s has more than %s values; further ones are %s",
                name,
                _MOST_VALUES,
                OVERFLOW,
            )
        self._overflowed(name)
        return OVERFLOW


def _attribute(name: str) -> str:
    return name if name in REGISTRY or name.startswith(TAG) else f"{TAG}{name}"


def _of_scope(name: str, scope: Scope) -> Any:
    if name == attr.GEN_AI_AGENT_NAME:
        return scope.agent.name if scope.agent is not None else None
    return (scope.tags or {}).get(name) or (scope.identity or {}).get(name)
