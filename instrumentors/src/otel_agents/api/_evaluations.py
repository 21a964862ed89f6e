"""Judgements of what was recorded, perhaps by another process."""

from __future__ import annotations

from typing import Literal

from ._activity import ACTIVITY
from ._blocks import Block

__all__ = [
    "evaluation",
    "feedback",
    "reference",
]


def reference() -> str:
    """Return a reference to the current span, to judge it later: a W3C traceparent.

    It may travel: to a web client, and back to another process minutes later.

    Example:
        >>> with agent("planner"):
        ...     reply = {"text": "Sunny.", "reference": reference()}

    Returns:
        The reference; empty without a span. `Block.reference` returns that to a block, with the id
        of a model's response.
    """
    if not ACTIVITY:
        return ""
    from ._references import current_reference

    return current_reference()


def evaluation(
    name: str,
    *,
    score: float | None = None,
    label: str | None = None,
    explanation: str | None = None,
    of: str | Block | None = None,
    response_id: str | None = None,
    evaluator: str | None = None,
    evaluator_version: str | None = None,
    evaluator_type: Literal["human", "model", "code"] | None = None,
) -> None:
    """Record a judgement: the event ``gen_ai.evaluation.result`` in the context of what is judged.

    A step without duration is recorded too, for backends that receive no events.

    Example:
        >>> with agent("planner") as run:
        ...     pass
        >>> evaluation("relevance", score=0.9, label="relevant", of=run)

    Args:
        name: The metric's name.
        score: The score.
        label: What the score means, low in cardinality.
        explanation: Why: content, recorded only where content is.
        of: A block, or what `reference` returned; default is the current span.
        response_id: The provider's id of the response, if the reference has none.
        evaluator: The id of the evaluator.
        evaluator_version: Its version.
        evaluator_type: Whether a human, a model or code has judged.
    """
    if not ACTIVITY:
        return
    from ._evaluating import evaluate

    subject = of.reference() if isinstance(of, Block) else of
    by = (evaluator, evaluator_version, evaluator_type)
    evaluate(name, score, label, explanation, subject, response_id, by)


def feedback(
    value: bool | float | None = None,
    *,
    of: str | Block | None = None,
    label: str | None = None,
    comment: str | None = None,
    name: str = "user_feedback",
    user: str | None = None,
) -> None:
    """Record what a human thinks of a response; an `evaluation` by a human.

    Example:
        >>> with agent("planner") as run:
        ...     pass
        >>> feedback(True, of=run, comment="Just what I needed.")

    Args:
        value: A number, or whether it was good: 1 and ``positive``, 0 and ``negative``.
        of: A block, or what `reference` returned; default is the current span.
        label: What the value means.
        comment: What the human wrote: content, recorded only where content is.
        name: The metric's name.
        user: The id of the human.
    """
    if isinstance(value, bool) and label is None:
        label = "positive" if value else "negative"
    evaluation(
        name,
        score=value,
        label=label,
        explanation=comment,
        of=of,
        evaluator=user,
        evaluator_type="human",
    )
