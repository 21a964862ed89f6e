"""Guardrails: what each said of an answer, and which try it was."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["GUARDED", "Guarded", "guardrail"]

_LIMITS: Final = ("guardrail_max_retries", "max_retries")
"""How often an answer may be refused; early versions have the second."""


class Guarded:
    """Who answers, a task or a lone agent: the guardrail that refuses is asked again of the next answer."""

    __slots__ = ("count", "refusals")

    def __init__(self, subject: Any) -> None:
        limits = (getattr(subject, name, None) for name in _LIMITS)
        retries = next((limit for limit in limits if isinstance(limit, int)), None)
        self.count = None if retries is None else retries + 1
        self.refusals = 0
        """By the guardrail whose turn it is."""


GUARDED: Final = Slot("crewai-guarded", Guarded)


class _Guardrail(Step):
    __slots__ = ("_guarded",)

    def __init__(self, telemetry: Telemetry, name: str | None, guarded: Guarded | None) -> None:
        self._guarded = guarded
        number, count = (None, None) if guarded is None else (guarded.refusals + 1, guarded.count)
        super().__init__(telemetry, "guardrail", name, number=number, count=count)

    def respond(self, value: Any) -> None:
        """Keep the verdict."""
        passed = bool(value.success)
        self.set_outcome("passed" if passed else "failed")
        if self._guarded is not None:
            self._guarded.refusals = 0 if passed else self._guarded.refusals + 1


def guardrail(telemetry: Telemetry, call: Call) -> Step:
    """``process_guardrail(output, guardrail, …)``; of early versions a task's method."""
    asked = call.argument(1, "guardrail") or getattr(call.instance, "_guardrail", None)
    return _Guardrail(telemetry, _name(asked), GUARDED.get())


def _name(asked: Any) -> str | None:
    """That of a function; what a model is asked by has none, and is described by its prompt."""
    name = getattr(asked, "__name__", None)
    return name if isinstance(name, str) and name.isidentifier() else None
