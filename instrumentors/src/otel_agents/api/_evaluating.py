"""Evaluations: events in the context of what is evaluated."""

from __future__ import annotations

import math
from typing import Any, Final, cast

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.context.scope import is_suppressed
from otel_agents.instrumentors._core.encoding.texts import text_of
from otel_agents.instrumentors._core.errors import guarded, warn_once
from otel_agents.instrumentors._core.operations import evaluated
from otel_agents.semconv import attributes as attr

from ._emitting import telemetry
from ._references import context_of

__all__ = ["evaluate"]

_LONGEST: Final = 256
"""Characters of a name, a label or an id: a web client may have sent it."""


@guarded("recording an evaluation")
def evaluate(
    name: str,
    score: float | None,
    label: str | None,
    explanation: str | None,
    reference: str | None,
    response_id: str | None,
    evaluator: tuple[str | None, str | None, str | None],
) -> None:
    """Emit the event, in the context of ``reference``; None is the current one.

    Args:
        name: The metric's name.
        score: The score.
        label: What the score means.
        explanation: Why; content.
        reference: What is judged.
        response_id: The id of the response, if the reference has none.
        evaluator: Its id, version and type.
    """
    if is_suppressed():
        return
    name = text_of(name)[:_LONGEST]
    context: Context = get_current()
    if reference is not None:
        found = context_of(reference)
        if found is None:
            warn_once(
                "otel-agents: the evaluation %s is dropped, since its subject is no reference; "
                "pass on what reference() returned",
                name,
            )
            return
        context, of_reference = found
        response_id = response_id or of_reference
    given: dict[str, Any] = {
        attr.GEN_AI_EVALUATION_SCORE_LABEL: label,
        attr.GEN_AI_RESPONSE_ID: response_id,
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_ID: evaluator[0],
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_VERSION: evaluator[1],
        attr.OTEL_AGENTS_EVALUATION_EVALUATOR_TYPE: evaluator[2],
    }
    details = {
        name: text_of(value)[:_LONGEST] for name, value in given.items() if value is not None
    }
    number = None if score is None else _number(name, score)
    why = None if explanation is None else text_of(explanation)
    evaluated(telemetry(), name, number, context, explanation=why, details=details)


def _number(name: str, score: object) -> float | None:
    """Return ``score``, which a client may have sent; None, with a line, if it is no number."""
    try:
        number = math.nan if isinstance(score, str) else float(cast(float, score))
    except (TypeError, ValueError, OverflowError):
        number = math.nan
    if math.isfinite(number):
        return number
    warn_once(
        "otel-agents: the evaluation %s has no score, since a %s was given that is no finite "
        "number; pass on words as label",
        name,
        type(score).__name__,
    )
    return None
