"""Evaluators: their score is an event, and on the step in which they call a model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.operations import Evaluation, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

if TYPE_CHECKING:
    from llama_index.core.evaluation import EvaluationResult

__all__ = ["batch", "evaluation"]

_EVALUATE: Final = "evaluate"
_SUFFIX: Final = "Evaluator"


class _Evaluation(Evaluation):
    """One evaluation of a response."""

    __slots__ = ()

    def respond(self, value: EvaluationResult) -> None:
        """Report the score; an evaluator that has none passes or does not."""
        score = value.passing if value.score is None else value.score
        if score is not None and not value.invalid_result:
            self.record_score(float(score))


def evaluation(telemetry: Telemetry, call: Call) -> Step:
    """Start ``BaseEvaluator.evaluate(…)`` or ``aevaluate``: of ``FaithfulnessEvaluator``, say."""
    return _Evaluation(telemetry, type(call.instance).__name__.removesuffix(_SUFFIX))


def batch(telemetry: Telemetry, call: Call) -> Step:
    """Start ``BatchEvalRunner.aevaluate_queries(…)`` and its kin, which evaluate many responses."""
    return Step(telemetry, _EVALUATE)
