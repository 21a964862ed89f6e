"""A score is an event of what was scored; it is on a span too, for backends without events."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.operations import Evaluation, InvokeWorkflow, evaluated
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Settings
from otel_agents.testing.emission import Emission


def scored(name: str, score: float) -> dict[str, Any]:
    return {"gen_ai.evaluation.name": name, "gen_ai.evaluation.score.value": score}


def telemetry(emission: Emission) -> Telemetry:
    return Telemetry("toy", settings=Settings.read({}), **emission.providers)


def test_the_score_of_a_program_that_has_ended(emission: Emission) -> None:
    with_toys = telemetry(emission)
    run = InvokeWorkflow(with_toys, "quiz")
    run.end()
    evaluated(with_toys, "exact", 0.5, run.context)
    quiz, score = emission.spans
    assert emission.events == [("gen_ai.evaluation.result", scored("exact", 0.5))]
    assert quiz.context
    assert score.parent
    assert [log.log_record.span_id for log in emission.logs] == [quiz.context.span_id]
    assert score.parent.span_id == quiz.context.span_id
    assert score.name == "score exact"
    assert dict(score.attributes or {}) == {
        "otel_agents.step.type": "score",
        **scored("exact", 0.5),
    }


def test_the_score_of_an_evaluator(emission: Emission) -> None:
    evaluation = Evaluation(telemetry(emission), "Faithfulness")
    evaluation.record_score(1.0)
    evaluation.end()
    (step,) = emission.spans
    assert step.context
    assert emission.events == [("gen_ai.evaluation.result", scored("Faithfulness", 1.0))]
    assert [log.log_record.span_id for log in emission.logs] == [step.context.span_id]
    assert step.name == "evaluate Faithfulness"
    assert dict(step.attributes or {}) == {
        "otel_agents.step.type": "evaluate",
        **scored("Faithfulness", 1.0),
    }
