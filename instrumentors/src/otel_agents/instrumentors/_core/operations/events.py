"""Events of a run that are no operations: it hands over, waits for input, has a score."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.telemetry.gate import CLOSED
from otel_agents.instrumentors._core.telemetry.records import record_of
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.events import (
    GEN_AI_EVALUATION_RESULT,
    OTEL_AGENTS_HANDOFF,
    OTEL_AGENTS_INTERRUPT,
    Event,
)

from .agents import Step

__all__ = ["Evaluation", "Handoff", "evaluated", "hand_over", "interrupted"]

_HANDOFF: Final = "handoff"
_EVALUATE: Final = "evaluate"
_SCORE: Final = "score"
_NONE: Final[Mapping[str, Any]] = MappingProxyType({})


def hand_over(
    telemetry: Telemetry, origin: str | None, target: str, context: Context | None = None
) -> None:
    """Emit ``otel_agents.handoff`` for a handoff by rule; one by the model is a tool call.

    A step without duration is emitted too, since most trace backends do not show events.

    Args:
        telemetry: What to emit with.
        origin: The name of the agent that hands over; None if no agent ran before.
        target: The name of the agent that takes over.
        context: The context with the event's span; default is the current one.
    """
    Handoff(telemetry, origin, target, context).end()


class Handoff(Step):
    """A handoff that takes its time: a step, with the event of `hand_over` at its start.

    Args:
        telemetry: What to emit with.
        origin: The name of the agent that hands over; None if no agent ran before.
        target: The name of the agent that takes over.
        context: The context with the event's span; default is the current one.
    """

    __slots__ = ()

    def __init__(
        self,
        telemetry: Telemetry,
        origin: str | None,
        target: str,
        context: Context | None = None,
    ) -> None:
        attributes: dict[str, Any] = {attr.OTEL_AGENTS_HANDOFF_TO: target}
        if origin:
            attributes[attr.OTEL_AGENTS_HANDOFF_FROM] = origin
        _emit(telemetry, OTEL_AGENTS_HANDOFF, attributes, context)
        super().__init__(telemetry, _HANDOFF, target, parent=context)
        self.attributes.update(attributes)


def interrupted(telemetry: Telemetry, value: Any = None, context: Context | None = None) -> None:
    """Emit ``otel_agents.interrupt``: a run stops until it gets input, which is no error.

    Args:
        telemetry: What to emit with.
        value: The request for input: content, emitted only where events carry content.
        context: The context with the event's span; default is the current one.
    """
    gate = telemetry.gate if scope_of(context).records_content else CLOSED
    attributes = gate.value_attribute(attr.OTEL_AGENTS_INTERRUPT_VALUE, value)
    _emit(telemetry, OTEL_AGENTS_INTERRUPT, attributes, context)


def evaluated(
    telemetry: Telemetry,
    name: str,
    score: float | None,
    context: Context | None = None,
    *,
    explanation: str | None = None,
    details: Mapping[str, Any] = _NONE,
) -> None:
    """Emit ``gen_ai.evaluation.result``: a metric scored what a program returned.

    A step without duration, with the same attributes, is emitted too: what was scored has ended, so
    that its span takes no more attributes, and trace backends receive no events.

    Args:
        telemetry: What to emit with.
        name: The metric's name.
        score: The score.
        context: The context with the span of what was scored; default is the current one.
        explanation: Why: content.
        details: Further attributes of the event.
    """
    attributes = {**_score(name, score), **details}
    gate = telemetry.gate if scope_of(context).records_content else CLOSED
    on_event, on_span = gate.text_attributes(attr.GEN_AI_EVALUATION_EXPLANATION, explanation)
    _emit(telemetry, GEN_AI_EVALUATION_RESULT, {**attributes, **on_event}, context)
    moment = Step(telemetry, _SCORE, name, parent=context)
    moment.attributes.update(attributes)
    moment.attributes.update(on_span)
    moment.end()


class Evaluation(Step):
    """A step ``evaluate`` of an evaluator that may call a model; it has the score itself.

    Example:
        >>> class Judged(Evaluation):
        ...     def respond(self, value):
        ...         self.record_score(value.score)
        >>> def judge(telemetry, call):
        ...     return Judged(telemetry, call.instance.name)
        >>> patch = Patch("house:Judge.evaluate", judge)

    Args:
        telemetry: What to emit with.
        name: The evaluator's name.
    """

    __slots__ = ("_name",)

    def __init__(self, telemetry: Telemetry, name: str) -> None:
        super().__init__(telemetry, _EVALUATE, name)
        self._name = name

    def record_score(self, score: float) -> None:
        """Record the score, and emit ``gen_ai.evaluation.result`` in this step."""
        attributes = _score(self._name, score)
        self.attributes.update(attributes)
        _emit(self.telemetry, GEN_AI_EVALUATION_RESULT, attributes, self.context)


def _score(name: str, score: float | None) -> dict[str, Any]:
    named = {attr.GEN_AI_EVALUATION_NAME: name}
    return named if score is None else {**named, attr.GEN_AI_EVALUATION_SCORE_VALUE: score}


def _emit(
    telemetry: Telemetry, event: Event, attributes: dict[str, Any], context: Context | None
) -> None:
    context = get_current() if context is None else context
    telemetry.emit(record_of(event, attributes, context, time.time_ns()))
