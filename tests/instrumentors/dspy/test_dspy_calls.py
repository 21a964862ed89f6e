"""What an application sees of its calls is the same with and without otel-agents."""

from __future__ import annotations

import asyncio
import copy
import threading
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from dspy_programs import CHAT, ESSAY, VERSION, Essay, Reply, dspy, essay, examples, fields
from opentelemetry.trace import StatusCode
from packaging.version import Version

from otel_agents.instrumentors.dspy import DSPyInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

needs_async = pytest.mark.skipif(Version("2.6.20") > VERSION, reason="no async programs")


def test_an_invalid_call_fails_as_before(
    instrument: Callable[..., None], emission: Emission
) -> None:
    with pytest.raises(Exception) as before:  # noqa: PT011  compared below
        Essay()(wrong=1)
    instrument()
    with pytest.raises(type(before.value)) as after:
        Essay()(wrong=1)
    assert str(after.value) == str(before.value)
    assert emission.tree() == ["invoke_workflow Essay"]


def test_callbacks_of_the_application_change_nothing(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    seen: list[str] = []

    class Noting(import_module("dspy.utils.callback").BaseCallback):
        def on_module_start(self, call_id: str, instance: Any, inputs: Any) -> None:
            seen.append(type(instance).__name__)

    instrument()
    essay(model)
    dspy.configure(callbacks=[Noting()])
    try:
        Essay()(topic="q")
    finally:
        dspy.configure(callbacks=[])
    assert seen[0] == "Essay"
    assert emission.tree() == ESSAY


def pickled(program: Any) -> Any:
    pickle = pytest.importorskip("cloudpickle")  # what DSPy itself uses
    return pickle.loads(pickle.dumps(program))


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_copies_of_programs_are_recorded(
    copied: Callable[[Any], Any],
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument()
    program = dspy.ChainOfThought("topic -> reply")
    model.script(fields(reasoning="r", reply="Paris"))
    assert copied(program)(topic="q").reply == "Paris"
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]


def test_everything_is_undone(instrument: Callable[..., None], emission: Emission) -> None:
    methods: list[tuple[Any, str]] = [
        (dspy.Module, "__call__"),
        (dspy.Evaluate, "__call__"),
        (dspy.Retrieve, "__call__"),
    ]
    before: list[Any] = [vars(owner)[name] for owner, name in methods]
    instrument()
    assert all(
        vars(owner)[name] is not it for (owner, name), it in zip(methods, before, strict=True)
    )
    DSPyInstrumentor().uninstrument()
    assert [vars(owner)[name] for owner, name in methods] == before


@needs_async
def test_a_cancelled_program(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    gate = threading.Event()
    model.script(Response("late", gate=gate))

    async def main() -> None:
        task = asyncio.ensure_future(dspy.Predict(Reply).acall(topic="q"))
        await asyncio.to_thread(model.ledger.wait, 1)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    try:
        asyncio.run(main())
    finally:
        gate.set()
    assert emission.tree() == ["invoke_workflow Reply", f"  {CHAT}"]
    found = [
        (span.status.status_code, (span.attributes or {})["error.type"]) for span in emission.spans
    ]
    assert found == [(StatusCode.ERROR, "asyncio.exceptions.CancelledError")] * 2


def test_a_metric_that_calls_a_model(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    def judged(example: Any, prediction: Any, trace: Any = None) -> float:
        return float(dspy.Predict("reply -> score")(reply=prediction.reply).score)

    instrument()
    model.script(fields(reply="Paris"), fields(score="0.5"))
    dspy.Evaluate(devset=examples(1), metric=judged, num_threads=1)(dspy.Predict(Reply))
    assert emission.tree() == [
        "evaluate Reply",
        "  invoke_workflow Reply",
        f"    {CHAT}",
        "  invoke_workflow",
        f"    {CHAT}",
    ]
    ((_, found),) = emission.events
    assert found["gen_ai.evaluation.score.value"] == 0.5
    (log,) = emission.logs
    (scored,) = (span.context for span in emission.spans if span.name == "invoke_workflow Reply")
    assert scored is not None
    assert log.log_record.span_id == scored.span_id
