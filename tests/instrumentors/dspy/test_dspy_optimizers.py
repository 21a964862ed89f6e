"""Optimizers: each trial is a trace of its own, linked to the span of ``compile``."""

from __future__ import annotations

from typing import Any

import pytest
from dspy_programs import CHAT, Reply, dspy, examples, fields

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")


def exact(example: Any, prediction: Any, trace: Any = None) -> bool:
    return example.reply == prediction.reply


def roots(emission: Emission) -> list[Any]:
    return [span for span in emission.spans if span.parent is None]


def check_linked(emission: Emission, name: str) -> int:
    """Check that each root links to the span of ``compile``; return the number of trials."""
    (compiled,) = (span for span in emission.spans if span.name == name)
    trials = [span for span in roots(emission) if span is not compiled]
    for trial in trials:
        (link,) = trial.links
        assert link.context == compiled.context
    assert all(not span.links for span in emission.spans if span not in trials)
    return len(trials)


def test_each_run_of_a_program_is_a_trace(model: ScriptedModel, emission: Emission) -> None:
    model.script(*(fields(reply="Paris") for _ in range(2)))
    optimizer = dspy.BootstrapFewShot(metric=exact, max_bootstrapped_demos=2)
    optimizer.compile(dspy.Predict(Reply), trainset=examples(3))
    trial = ["invoke_workflow Reply", f"  {CHAT}"]
    assert emission.tree() == ["compile BootstrapFewShot", *trial * 2]
    assert check_linked(emission, "compile BootstrapFewShot") == 2
    assert emission.traces() == 3


def test_each_evaluation_is_a_trace(model: ScriptedModel, emission: Emission) -> None:
    model.script(*(fields(reply="Paris") for _ in range(20)))
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=exact, num_candidate_programs=0, max_bootstrapped_demos=1, num_threads=2
    )
    optimizer.compile(dspy.Predict(Reply), trainset=examples(2))
    evaluated = ["evaluate Reply", *["  invoke_workflow Reply", f"    {CHAT}"] * 2]
    bootstrapped = ["invoke_workflow Reply", f"  {CHAT}"]
    assert emission.tree() == [
        "compile BootstrapFewShotWithRandomSearch",
        *evaluated * 2,
        *bootstrapped,
        *evaluated,
    ]
    assert check_linked(emission, "compile BootstrapFewShotWithRandomSearch") == 4
    assert len(emission.events) == 6


def test_an_optimizer_of_the_application(model: ScriptedModel, emission: Emission) -> None:
    teleprompt = dspy.teleprompt.Teleprompter

    class Trying(teleprompt):
        def compile(self, student: Any, *, trainset: Any, **options: Any) -> Any:
            student(topic="q")
            return student

    model.script(fields(reply="Paris"))
    program = dspy.Predict(Reply)
    assert Trying().compile(program, trainset=[]) is program
    assert check_linked(emission, "compile Trying") == 1


def test_programs_after_an_optimizer_have_no_link(model: ScriptedModel, emission: Emission) -> None:
    model.script(fields(reply="Paris"))
    program = dspy.LabeledFewShot(k=1).compile(dspy.Predict(Reply), trainset=examples(2))
    program(topic="q")
    assert check_linked_to_nothing(emission)


def check_linked_to_nothing(emission: Emission) -> bool:
    return emission.tree() == [
        "compile LabeledFewShot",
        "invoke_workflow Reply",
        f"  {CHAT}",
    ] and (not any(span.links for span in emission.spans))
