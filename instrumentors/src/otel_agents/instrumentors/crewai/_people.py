"""People who are asked, and how that went: whether somebody answered, never what."""

from __future__ import annotations

from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = ["feedback", "question", "reading", "review"]

_TYPE: Final = "human_input"


class _Question(Step):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """None is what an application gets where nobody answers in time."""
        self.set_outcome("unanswered" if value is None else "answered")


class _Judgement(Step):
    __slots__ = ("_enter",)

    def __init__(self, telemetry: Telemetry, enter: str) -> None:
        self._enter = enter
        super().__init__(telemetry, _TYPE)

    def respond(self, value: Any) -> None:
        """Nothing but Enter has a meaning of its own."""
        self.set_outcome("feedback" if str(value).strip() else self._enter)


class _Reading(Step):
    __slots__ = ("_outcomes",)

    def __init__(self, telemetry: Telemetry, outcomes: Any) -> None:
        self._outcomes = outcomes
        super().__init__(telemetry, "feedback")

    def respond(self, value: Any) -> None:
        """Keep which one it is."""
        if value in self._outcomes:
            self.set_outcome(value)


def question(telemetry: Telemetry, call: Call) -> Step:
    """``Flow.ask(message, …)``."""
    return _Question(telemetry, _TYPE)


def review(telemetry: Telemetry, call: Call) -> Step:
    """``_prompt_input(crew)`` after a task, in every form: Enter says that the answer will do."""
    return _Judgement(telemetry, "accepted")


def feedback(telemetry: Telemetry, call: Call) -> Step:
    """``Flow._request_human_feedback(…)``, where Enter is to skip."""
    return _Judgement(telemetry, "skipped")


def reading(telemetry: Telemetry, call: Call) -> Step:
    """``Flow._collapse_to_outcome(feedback, outcomes, llm)``: a model finds which outcome is meant."""
    return _Reading(telemetry, call.argument(1, "outcomes"))
