"""One run, one trace: programs, their steps, and what runs them over examples."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from dspy_programs import CHAT, ESSAY, VERSION, Essay, Reply, dspy, essay, examples, fields
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

needs_async = pytest.mark.skipif(Version("2.6.20") > VERSION, reason="no async programs")
needs_parallel = pytest.mark.skipif(Version("2.5.30") > VERSION, reason="no dspy.Parallel")
REPLIED = ["  invoke_workflow Reply", f"    {CHAT}"]


def attributes(emission: Emission, name: str) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in emission.spans if span.name == name]


def billed(emission: Emission) -> list[Any]:
    return sorted(
        (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"])
        for found in attributes(emission, CHAT)
    )


def check(emission: Emission, model: ScriptedModel, tree: list[str]) -> None:
    """Check the tree of the only trace, and that its tokens are those that were billed."""
    assert emission.tree() == tree
    assert emission.traces() == 1
    entries = model.ledger.entries
    assert billed(emission) == sorted((one.input_tokens, one.output_tokens) for one in entries)


def test_a_program_is_a_workflow_of_steps(model: ScriptedModel, emission: Emission) -> None:
    essay(model)
    assert Essay()(topic="q").short == "P"
    check(emission, model, ESSAY)
    assert attributes(emission, "invoke_workflow Essay") == [
        {"gen_ai.operation.name": "invoke_workflow", "gen_ai.workflow.name": "Essay"}
    ]
    assert attributes(emission, "predict reply -> short") == [{"otel_agents.step.type": "predict"}]


def test_tokens_without_a_history(model: ScriptedModel, emission: Emission) -> None:
    essay(model)
    kept = len(dspy.settings.lm.history)
    with dspy.context(disable_history=True):
        Essay()(topic="q")
    if Version("2.6.20") <= VERSION:
        assert len(dspy.settings.lm.history) == kept
    check(emission, model, ESSAY)


@needs_async
def test_an_async_program(model: ScriptedModel, emission: Emission) -> None:
    essay(model)
    assert asyncio.run(Essay().acall(topic="q")).short == "P"
    check(emission, model, ESSAY)


@needs_async
def test_asyncify_keeps_one_trace(model: ScriptedModel, emission: Emission) -> None:
    essay(model)
    program = dspy.asyncify(Essay())

    async def main() -> Any:
        return await program(topic="q")

    assert asyncio.run(main()).short == "P"
    check(emission, model, ESSAY)


@needs_async
@pytest.mark.parametrize("changed", [True, False])
def test_a_syncified_program_is_the_program(
    changed: bool, model: ScriptedModel, emission: Emission
) -> None:
    if not hasattr(dspy, "syncify"):
        pytest.skip("it has none")
    essay(model)
    assert dspy.syncify(Essay(), in_place=changed)(topic="q").short == "P"
    check(emission, model, ESSAY)


def test_a_program_within_another_is_a_step(model: ScriptedModel, emission: Emission) -> None:
    class Outer(dspy.Module):
        def __init__(self) -> None:
            dspy.Module.__init__(self)
            self.inner = Essay()

        def forward(self, topic: str) -> Any:
            return self.inner(topic=topic)

    essay(model)
    Outer()(topic="q")
    nested = ["  module Essay", *(f"  {line}" for line in ESSAY[1:])]
    check(emission, model, ["invoke_workflow Outer", *nested])


class Derived(dspy.ChainOfThought):
    """It runs what DSPy's class does."""


class Twice(dspy.ChainOfThought):
    """It runs a program of its own too."""

    def __init__(self, signature: Any) -> None:
        dspy.ChainOfThought.__init__(self, signature)
        self.shorten = dspy.Predict("reply -> short")

    def forward(self, **inputs: Any) -> Any:
        thought = dspy.ChainOfThought.forward(self, **inputs)
        return self.shorten(reply=thought.reply)


class Assigned(dspy.Module):
    """Its method is the program's own."""

    def __init__(self) -> None:
        dspy.Module.__init__(self)
        predict = dspy.Predict(Reply)

        def forward(topic: str) -> Any:
            return predict(topic=topic)

        self.forward = forward


def test_a_method_that_is_assigned(model: ScriptedModel, emission: Emission) -> None:
    model.script(fields(reply="Paris"))
    Assigned()(topic="q")
    check(emission, model, ["invoke_workflow Assigned", "  predict Reply", f"    {CHAT}"])


def test_a_derived_class_has_the_steps_that_it_runs_itself(
    model: ScriptedModel, emission: Emission
) -> None:
    responses = (fields(reasoning="r", reply="Paris"), fields(short="P"))
    model.script(responses[0], *responses)
    Derived(Reply)(topic="q")
    Twice(Reply)(topic="q")
    assert emission.tree() == [
        *("invoke_workflow Derived", f"  {CHAT}"),
        *("invoke_workflow Twice", "  predict Reply", f"    {CHAT}"),
        *("  predict reply -> short", f"    {CHAT}"),
    ]


def test_an_outermost_predictor_is_a_workflow(model: ScriptedModel, emission: Emission) -> None:
    model.script(fields(reply="Paris"), fields(short="P"))
    dspy.Predict(Reply)(topic="q")
    dspy.Predict("reply -> short")(reply="a")
    assert emission.tree() == [
        *("invoke_workflow Reply", f"  {CHAT}"),
        *("invoke_workflow", f"  {CHAT}"),
    ]
    assert emission.traces() == 2


def test_what_is_derived_from_a_signature_keeps_its_name(
    model: ScriptedModel, emission: Emission
) -> None:
    """Optimizers change the instructions, and loading a program restores them."""
    program = dspy.ChainOfThought(Reply)
    (predictor,) = program.predictors()
    predictor.signature = predictor.signature.with_instructions("Be short.")
    predictor.load_state(predictor.dump_state())
    model.script(fields(reasoning="r", reply="Paris"))
    program(topic="q")
    assert emission.tree() == ["invoke_workflow Reply", f"  {CHAT}"]


def test_a_program_that_fails(model: ScriptedModel, emission: Emission) -> None:
    class Failing(dspy.Module):
        def forward(self, topic: str) -> Any:
            raise LookupError("secret")

    with pytest.raises(LookupError, match="secret"):
        Failing()(topic="q")
    assert emission.tree() == ["invoke_workflow Failing"]
    assert emission.span.attributes == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "Failing",
        "error.type": "LookupError",
    }
    assert "secret" not in emission.texts()


@needs_parallel
@pytest.mark.parametrize("threads", [1, 2])
def test_parallel_is_one_trace(threads: int, model: ScriptedModel, emission: Emission) -> None:
    model.script(*(fields(reply="Paris") for _ in range(3)))
    pairs = [(dspy.Predict(Reply), one) for one in examples(3)]
    dspy.Parallel(num_threads=threads, disable_progress_bar=True)(pairs)
    check(emission, model, ["parallel", *REPLIED * 3])
    assert attributes(emission, "parallel") == [
        {"otel_agents.step.type": "parallel", "otel_agents.step.count": 3}
    ]


@needs_parallel
@pytest.mark.parametrize("batch", [False, True])
def test_parallel_within_a_program_is_no_step(
    batch: bool, model: ScriptedModel, emission: Emission
) -> None:
    class Fan(dspy.Module):
        def forward(self, topic: str) -> Any:
            if batch:
                return dspy.Predict(Reply).batch(examples(2), num_threads=2)
            pairs = [(dspy.Predict(Reply), one) for one in examples(2)]
            return dspy.Parallel(num_threads=2, disable_progress_bar=True)(pairs)

    model.script(*(fields(reply="Paris") for _ in range(2)))
    Fan()(topic="q")
    step = ["  predict Reply", f"    {CHAT}"]
    check(emission, model, ["invoke_workflow Fan", *step * 2])


@needs_parallel
def test_a_batch_is_one_trace(model: ScriptedModel, emission: Emission) -> None:
    model.script(*(fields(reply="Paris") for _ in range(2)))
    dspy.Predict(Reply).batch(examples(2), num_threads=2, disable_progress_bar=True)
    check(emission, model, ["batch Reply", *REPLIED * 2])


def scores(emission: Emission) -> list[Any]:
    return [
        found["gen_ai.evaluation.score.value"]
        for name, found in emission.events
        if name == "gen_ai.evaluation.result"
    ]


def exact(example: Any, prediction: Any, trace: Any = None) -> bool:
    return example.reply == prediction.reply


@pytest.mark.parametrize("threads", [1, 2])
def test_an_evaluation_is_one_trace(threads: int, model: ScriptedModel, emission: Emission) -> None:
    model.script(*(fields(reply="Paris") for _ in range(3)))
    evaluate = dspy.Evaluate(devset=examples(3), metric=exact, num_threads=threads)
    evaluate(dspy.Predict(Reply))
    check(emission, model, ["evaluate Reply", *[*REPLIED, "    score exact"] * 3])
    assert attributes(emission, "evaluate Reply") == [
        {"otel_agents.step.type": "evaluate", "otel_agents.step.count": 3}
    ]
    scored = {"gen_ai.evaluation.name": "exact", "gen_ai.evaluation.score.value": 1.0}
    assert attributes(emission, "score exact") == [{"otel_agents.step.type": "score", **scored}] * 3
    assert emission.events == [("gen_ai.evaluation.result", scored)] * 3
    workflows = {
        span.context.span_id
        for span in emission.spans
        if span.context and span.name == "invoke_workflow Reply"
    }
    assert {log.log_record.span_id for log in emission.logs} == workflows


@needs_parallel
def test_only_examples_have_scores(model: ScriptedModel, emission: Emission) -> None:
    class Fan(dspy.Module):
        def forward(self, topic: str) -> Any:
            pairs = [(dspy.Predict(Reply), one) for one in examples(2)]
            return dspy.Parallel(num_threads=1, disable_progress_bar=True)(pairs)[-1]

    model.script(*(fields(reply="Paris") for _ in range(2)))
    dspy.Evaluate(devset=examples(1), metric=exact, num_threads=1)(Fan())
    assert [name for name, _ in emission.events] == ["gen_ai.evaluation.result"]


def test_a_program_that_fails_on_an_example(model: ScriptedModel, emission: Emission) -> None:
    class Failing(dspy.Module):
        def forward(self, topic: str) -> Any:
            raise LookupError("secret")

    dspy.Evaluate(devset=examples(1), metric=exact, num_threads=1)(Failing())
    unscored = Version("2.5.30") <= VERSION  # before that, DSPy gives it a score
    score = [] if unscored else ["    score exact"]
    assert emission.tree() == ["evaluate Failing", "  invoke_workflow Failing", *score]
    assert scores(emission) == ([] if unscored else [0.0])
    assert "secret" not in emission.texts()


def test_an_example_that_fails_has_its_score(model: ScriptedModel, emission: Emission) -> None:
    model.script(fields(reply="Paris"), fields(reply="Rome"))
    dspy.Evaluate(devset=examples(2), metric=exact, num_threads=1)(dspy.Predict(Reply))
    assert scores(emission) == [1.0, 0.0]
