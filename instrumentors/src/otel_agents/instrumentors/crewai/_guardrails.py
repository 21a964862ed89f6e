"""Guardrails: their verdicts, and the number of each attempt."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from crewai.agents.agent_builder.base_agent import BaseAgent
    from crewai.task import Task
    from crewai.utilities.guardrail import GuardrailResult

__all__ = ["GUARDRAIL_ATTEMPTS", "GuardrailAttempts", "guardrail"]

_LIMITS: Final = ("guardrail_max_retries", "max_retries")
"""The attribute that limits the retries; early versions have the second."""


class GuardrailAttempts:
    """The attempts of a task, or of an agent that runs alone, to pass its guardrails.

    Attributes:
        limit: How many attempts each guardrail allows; None if unknown.
        refusals: How many outputs the current guardrail has refused.
    """

    __slots__ = ("limit", "refusals")

    def __init__(self, subject: Task | BaseAgent) -> None:
        limits = (getattr(subject, name, None) for name in _LIMITS)
        retries = next((limit for limit in limits if isinstance(limit, int)), None)
        self.limit = None if retries is None else retries + 1
        self.refusals = 0


GUARDRAIL_ATTEMPTS: Final = Slot("crewai-guardrail-attempts", GuardrailAttempts)


class _Guardrail(Step):
    __slots__ = ("_attempts",)

    def __init__(
        self, telemetry: Telemetry, name: str | None, attempts: GuardrailAttempts | None
    ) -> None:
        self._attempts = attempts
        number, count = (
            (None, None) if attempts is None else (attempts.refusals + 1, attempts.limit)
        )
        super().__init__(telemetry, "guardrail", name, number=number, count=count)

    def respond(self, value: GuardrailResult) -> None:
        """Record the verdict."""
        passed = bool(value.success)
        self.set_outcome("passed" if passed else "failed")
        if self._attempts is not None:
            self._attempts.refusals = 0 if passed else self._attempts.refusals + 1


def guardrail(telemetry: Telemetry, call: Call) -> Step:
    """Start ``process_guardrail(output, guardrail, …)``, in early versions a task's method."""
    guardrail = call.argument(1, "guardrail") or getattr(call.instance, "_guardrail", None)
    return _Guardrail(telemetry, _name(guardrail), GUARDRAIL_ATTEMPTS.get())


def _name(guardrail: Any) -> str | None:
    """Return a function's name; a model's guardrail has none, and its description is a prompt."""
    name = getattr(guardrail, "__name__", None)
    return name if isinstance(name, str) and name.isidentifier() else None
