"""Human input: whether there was any and what it decided, never what it says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["feedback", "feedback_outcome", "human_input", "review"]

_TYPE: Final = "human_input"


class _HumanInput(Step):
    __slots__ = ()

    def respond(self, value: str | None) -> None:
        """Record whether there was input in time."""
        self.set_outcome("unanswered" if value is None else "answered")


class _Review(Step):
    __slots__ = ("_if_empty",)

    def __init__(self, telemetry: Telemetry, if_empty: str) -> None:
        self._if_empty = if_empty
        super().__init__(telemetry, _TYPE)

    def respond(self, value: Any) -> None:
        """Record feedback, or what an empty line (Enter) stands for."""
        self.set_outcome("feedback" if str(value).strip() else self._if_empty)


class _FeedbackOutcome(Step):
    __slots__ = ("_outcomes",)

    def __init__(self, telemetry: Telemetry, outcomes: Sequence[str]) -> None:
        self._outcomes = outcomes
        super().__init__(telemetry, "feedback")

    def respond(self, value: str) -> None:
        """Record the outcome."""
        if value in self._outcomes:
            self.set_outcome(value)


def human_input(telemetry: Telemetry, call: Call) -> Step:
    """Start ``Flow.ask(message, …)``."""
    return _HumanInput(telemetry, _TYPE)


def review(telemetry: Telemetry, call: Call) -> Step:
    """Start ``_prompt_input(crew)`` after a task, in any form; Enter accepts the output."""
    return _Review(telemetry, "accepted")


def feedback(telemetry: Telemetry, call: Call) -> Step:
    """Start ``Flow._request_human_feedback(…)``; Enter skips the feedback."""
    return _Review(telemetry, "skipped")


def feedback_outcome(telemetry: Telemetry, call: Call) -> Step:
    """Start ``Flow._collapse_to_outcome(feedback, outcomes, llm)``: a model picks an outcome."""
    return _FeedbackOutcome(telemetry, call.argument(1, "outcomes"))
