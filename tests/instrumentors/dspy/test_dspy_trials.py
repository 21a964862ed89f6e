"""The optimizers of DSPy, each run whole: one trace for each trial, linked to ``compile``."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from dspy_programs import CHAT, VERSION, Reply, dspy, examples, fields, lm, reply_by_fields
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

bootstrap_trace: Any = import_module("dspy.teleprompt.bootstrap_trace")
ORIGINS: Any = import_module("otel_agents.instrumentors.dspy._names")._ORIGINS
WORKFLOW = "invoke_workflow Reply"


def exact(
    example: Any, prediction: Any, trace: Any = None, predictor: Any = None, steps: Any = None
) -> float:
    return float(example.reply == prediction.reply)


def simba() -> tuple[Any, dict[str, Any]]:
    options = {"bsize": 2, "num_candidates": 2, "max_steps": 2, "max_demos": 1, "num_threads": 2}
    return dspy.SIMBA(metric=exact, **options), {}


def mipro() -> tuple[Any, dict[str, Any]]:
    options = {"max_bootstrapped_demos": 1, "max_labeled_demos": 1, "num_threads": 2}
    optimizer = dspy.MIPROv2(metric=exact, auto=None, num_candidates=2, **options)
    return optimizer, {"valset": examples(3), "num_trials": 2, "minibatch": False}


def copro() -> tuple[Any, dict[str, Any]]:
    return dspy.COPRO(metric=exact, breadth=2, depth=1), {"eval_kwargs": {"num_threads": 2}}


def few_shot() -> tuple[Any, dict[str, Any]]:
    return dspy.BootstrapFewShot(metric=exact, max_bootstrapped_demos=2), {}


def searched() -> tuple[Any, dict[str, Any]]:
    options = {"num_candidate_programs": 1, "max_bootstrapped_demos": 1, "num_threads": 2}
    return dspy.BootstrapFewShotWithRandomSearch(metric=exact, **options), {}


def rules() -> tuple[Any, dict[str, Any]]:
    options = {"num_candidates": 1, "num_rules": 1, "num_threads": 2, "max_bootstrapped_demos": 1}
    return dspy.InferRules(metric=exact, **options), {}


def together() -> tuple[Any, dict[str, Any]]:
    return dspy.BetterTogether(metric=exact, p=searched()[0]), {"strategy": "p"}


NEW = Version("3.4") <= VERSION
OPTIMIZERS: tuple[Callable[[], Any], ...] = (
    *(simba, mipro, copro, few_shot, searched, rules),
    *((together,) if NEW else ()),  # it had other arguments
)


def check_trials(emission: Emission, model: ScriptedModel, name: str) -> Counter[str]:
    """Check that each root but ``compile`` is linked to it; return how many of them there are.

    All model calls are in the traces of trials, and are what was billed.
    """
    roots = [span for span in emission.spans if span.parent is None]
    (compiled,) = (span for span in roots if span.name == f"compile {name}")
    trials = [span for span in roots if span is not compiled]
    for trial in trials:
        (link,) = trial.links
        assert link.context == compiled.context
    assert not any(span.links for span in emission.spans if span.parent is not None)
    assert emission.traces() == len(roots)
    chats = [span for span in emission.spans if span.name == CHAT]
    assert len(chats) == model.ledger.requests
    traces = [span.context.trace_id for span in chats if span.context]
    assert compiled.context
    assert compiled.context.trace_id not in traces
    return Counter(span.name for span in trials)


def metrics(emission: Emission) -> Counter[Any]:
    return Counter(
        found["gen_ai.evaluation.name"]
        for name, found in emission.events
        if name == "gen_ai.evaluation.result"
    )


@pytest.mark.parametrize("optimizing", OPTIMIZERS, ids=lambda it: it.__name__)
def test_each_trial_is_a_trace(
    optimizing: Callable[[], Any], model: ScriptedModel, emission: Emission
) -> None:
    pytest.importorskip("numpy")
    reply_by_fields(model, ["Paris", "Rome", "Paris"])
    program = dspy.Predict(Reply)
    program.set_lm(lm(model))
    optimizer, options = optimizing()
    optimizer.compile(program, trainset=examples(4), **options)
    trials = check_trials(emission, model, type(optimizer).__name__)
    assert trials
    assert set(metrics(emission)) <= {"exact"}


def test_reflections_of_an_optimizer(model: ScriptedModel, emission: Emission) -> None:
    """GEPA runs a program for them; in DSPy 3.0 it calls the model itself."""
    pytest.importorskip("gepa")
    reply_by_fields(model, ["Rome"])
    options = {"max_metric_calls": 12, "num_threads": 2}
    optimizer = dspy.GEPA(metric=exact, reflection_lm=lm(model, "openai/gpt-4o"), **options)
    optimizer.compile(dspy.Predict(Reply), trainset=examples(4), valset=examples(2))
    roots = [span for span in emission.spans if span.parent is None]
    (compiled,) = (span for span in roots if span.name == "compile GEPA")
    assert compiled.context
    trials = [span for span in roots if span is not compiled]
    assert [[link.context for link in span.links] for span in trials] == (
        [[compiled.context]] * len(trials)
    )
    reflections = [span for span in emission.spans if span.name == "chat gpt-4o"]
    traces = {span.context.trace_id for span in reflections if span.context}
    assert reflections
    assert (compiled.context.trace_id in traces) is not NEW
    assert emission.names.count(CHAT) + len(reflections) == model.ledger.requests


def test_each_run_of_a_program_is_a_trace(model: ScriptedModel, emission: Emission) -> None:
    model.script(*(fields(reply="Paris") for _ in range(2)))
    optimizer = dspy.BootstrapFewShot(metric=exact, max_bootstrapped_demos=2)
    optimizer.compile(dspy.Predict(Reply), trainset=examples(3))
    trial = ["invoke_workflow Reply", f"  {CHAT}"]
    assert emission.tree() == ["compile BootstrapFewShot", *trial * 2]
    assert check_trials(emission, model, "BootstrapFewShot") == {WORKFLOW: 2}


def test_each_evaluation_is_a_trace(model: ScriptedModel, emission: Emission) -> None:
    model.script(*(fields(reply="Paris") for _ in range(20)))
    optimizer = dspy.BootstrapFewShotWithRandomSearch(
        metric=exact, num_candidate_programs=0, max_bootstrapped_demos=1, num_threads=2
    )
    optimizer.compile(dspy.Predict(Reply), trainset=examples(2))
    program = ["  invoke_workflow Reply", f"    {CHAT}", "    score exact"]
    evaluated = ["evaluate Reply", *program * 2]
    bootstrapped = ["invoke_workflow Reply", f"  {CHAT}"]
    assert emission.tree() == [
        "compile BootstrapFewShotWithRandomSearch",
        *evaluated * 2,
        *bootstrapped,
        *evaluated,
    ]
    assert check_trials(emission, model, "BootstrapFewShotWithRandomSearch") == {
        "evaluate Reply": 3,
        WORKFLOW: 1,
    }
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
    assert check_trials(emission, model, "Trying") == {WORKFLOW: 1}


def test_programs_after_an_optimizer_have_no_link(model: ScriptedModel, emission: Emission) -> None:
    model.script(fields(reply="Paris"))
    program = dspy.LabeledFewShot(k=1).compile(dspy.Predict(Reply), trainset=examples(2))
    program(topic="q")
    assert emission.tree() == ["compile LabeledFewShot", WORKFLOW, f"  {CHAT}"]
    assert not any(span.links for span in emission.spans)


@pytest.mark.skipif(not NEW, reason="it called the model itself, as a part of `compile`")
def test_a_trial_has_the_metric_of_the_application(
    model: ScriptedModel, emission: Emission
) -> None:
    """GEPA wraps the metric where it also keeps what the program did."""
    reply_by_fields(model, ["Paris", "Rome", "Paris"])
    options = {"max_metric_calls": 20, "reflection_minibatch_size": 2, "num_threads": 2}
    optimizer = dspy.GEPA(metric=exact, reflection_lm=lm(model), **options)
    optimizer.compile(dspy.Predict(Reply), trainset=examples(4), valset=examples(3))
    trials = check_trials(emission, model, "GEPA")
    assert set(trials) == {"evaluate Reply", "invoke_workflow ProposeInstruction"}
    assert metrics(emission) == {"exact": emission.names.count(WORKFLOW)}


def test_an_evaluation_without_a_metric_has_no_scores(
    model: ScriptedModel, emission: Emission
) -> None:
    model.script(fields(reply="Paris"))
    bootstrap_trace.bootstrap_trace_data(dspy.Predict(Reply), examples(1), num_threads=1)
    assert emission.tree() == ["evaluate Reply", f"  {WORKFLOW}", f"    {CHAT}"]
    assert emission.events == []


def test_an_evaluation_within_a_trial_is_part_of_it(
    model: ScriptedModel, emission: Emission
) -> None:
    class Checked(dspy.Module):
        def __init__(self) -> None:
            dspy.Module.__init__(self)
            self.reply = dspy.Predict(Reply)

        def forward(self, topic: str) -> Any:
            dspy.Evaluate(devset=examples(1), metric=exact, num_threads=1)(self.reply)
            return self.reply(topic=topic)

    reply_by_fields(model)
    optimizer = dspy.BootstrapFewShot(metric=exact, max_bootstrapped_demos=1)
    optimizer.compile(Checked(), trainset=examples(1))
    assert emission.tree() == [
        "compile BootstrapFewShot",
        "invoke_workflow Checked",
        "  evaluate Reply",
        f"    {WORKFLOW}",
        f"      {CHAT}",
        "      score exact",
        "  predict Reply",
        f"    {CHAT}",
    ]
    assert check_trials(emission, model, "BootstrapFewShot") == {"invoke_workflow Checked": 1}


def test_an_optimizer_that_fails(model: ScriptedModel, emission: Emission) -> None:
    class Failing(dspy.teleprompt.Teleprompter):
        def compile(self, student: Any, *, trainset: Any, **options: Any) -> Any:
            student(topic="q")
            raise LookupError("secret")

    reply_by_fields(model)
    with pytest.raises(LookupError):
        Failing().compile(dspy.Predict(Reply), trainset=[])
    (compiled,) = (span for span in emission.spans if span.name == "compile Failing")
    assert dict(compiled.attributes or {}) == {
        "otel_agents.step.type": "compile",
        "error.type": "LookupError",
    }
    assert "secret" not in emission.texts()
    dspy.Predict(Reply)(topic="q")
    assert not emission.spans[-1].links


def test_what_is_kept_of_a_signature_goes_with_it(model: ScriptedModel, emission: Emission) -> None:
    gc.collect()
    before = len(ORIGINS)
    derived = [Reply.with_instructions(f"Reply {number}.") for number in range(50)]
    assert len(ORIGINS) - before == 50
    del derived
    gc.collect()
    assert len(ORIGINS) == before
