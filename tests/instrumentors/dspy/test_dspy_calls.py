"""What an application sees of its calls is the same with and without otel-agents."""

from __future__ import annotations

import asyncio
import copy
import inspect
import threading
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
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


def test_wrong_calls_with_callbacks_fail_as_before(
    instrument: Callable[..., None], emission: Emission
) -> None:
    """With a callback, DSPy looks at the arguments before a call."""

    def find(city: str) -> str:
        return city

    def raised() -> list[str]:
        calls: list[Callable[[], Any]] = [
            lambda: Essay()(wrong=1),
            lambda: Essay()("positional"),
            lambda: dspy.Predict(Reply)("positional"),
            lambda: dspy.Evaluate(devset=examples(1), metric=None)(),
            lambda: dspy.Tool(find)(town="Bern"),
        ]
        found: list[str] = []
        for one in calls:
            try:
                found.append(str(one()))
            except Exception as error:  # noqa: BLE001  compared below
                found.append(f"{type(error).__name__}: {error}")
        return found

    callback = import_module("dspy.utils.callback").BaseCallback()
    dspy.configure(callbacks=[callback])
    try:
        before = raised()
        instrument()
        assert raised() == before
        assert dspy.settings.callbacks == [callback]
    finally:
        dspy.configure(callbacks=[])


@needs_async
def test_a_saved_program(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission, tmp_path: Path
) -> None:
    instrument()
    program = dspy.ChainOfThought(Reply)
    state, whole = tmp_path / "state.json", tmp_path / "whole"
    program.save(str(state))
    other = dspy.ChainOfThought(Reply)
    other.load(str(state))
    program.save(str(whole), save_program=True)
    known = inspect.signature(dspy.load).parameters
    loaded = dspy.load(str(whole), **({"allow_pickle": True} if "allow_pickle" in known else {}))
    copies = (other, loaded, program.deepcopy(), program.reset_copy())
    model.script(*(fields(reasoning="r", reply="Paris") for _ in copies))
    assert [one(topic="q").reply for one in copies] == ["Paris"] * 4
    assert emission.tree() == ["invoke_workflow Reply", f"  {CHAT}"] * 4


class Failing(dspy.Module):
    def forward(self, topic: str) -> Any:
        raise LookupError("secret")


@needs_async
@pytest.mark.parametrize("threads", [1, 2])
def test_a_program_of_several_that_fails(
    threads: int, instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    model.script(fields(reply="Paris"))
    pairs = [(Failing(), {"topic": "a"}), (dspy.Predict(Reply), {"topic": "b"})]
    options = {"return_failed_examples": True, "disable_progress_bar": True}
    replies, failed, errors = dspy.Parallel(num_threads=threads, max_errors=5, **options)(pairs)
    assert (replies[0], replies[1].reply) == (None, "Paris")
    assert (failed, [str(error) for error in errors]) == ([{"topic": "a"}], ["secret"])
    assert sorted(emission.tree()) == sorted(
        ["parallel", "  invoke_workflow Failing", "  invoke_workflow Reply", f"    {CHAT}"]
    )
    codes = {span.name: span.status.status_code for span in emission.spans}
    assert codes["parallel"] is StatusCode.UNSET
    assert codes["invoke_workflow Failing"] is StatusCode.ERROR
    assert "secret" not in emission.texts()


@needs_async
def test_too_many_errors(instrument: Callable[..., None], emission: Emission) -> None:
    instrument()
    parallel = dspy.Parallel(num_threads=2, max_errors=1, disable_progress_bar=True)
    with pytest.raises(Exception, match="cancelled"):
        parallel([(Failing(), {"topic": "a"})])
    assert emission.tree() == ["parallel", "  invoke_workflow Failing"]
    assert [span.status.status_code for span in emission.spans] == [StatusCode.ERROR] * 2


@needs_async
def test_a_batch_with_an_error(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument()
    found = Failing().batch(examples(2), num_threads=2, max_errors=5, return_failed_examples=True)
    assert len(found[1]) == 2
    assert emission.tree() == ["batch Failing", *["  invoke_workflow Failing"] * 2]


@needs_async
def test_a_metric_that_fails(
    instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    def broken(example: Any, prediction: Any, trace: Any = None) -> float:
        raise LookupError("secret")

    instrument()
    model.script(*(fields(reply="Paris") for _ in range(3)))
    options = {"devset": examples(2), "metric": broken, "num_threads": 1}
    dspy.Evaluate(**options)(dspy.Predict(Reply))
    with pytest.raises(Exception, match="cancelled"):
        dspy.Evaluate(**options, max_errors=1)(dspy.Predict(Reply))
    run = ["  invoke_workflow Reply", f"    {CHAT}"]
    assert emission.tree() == ["evaluate Reply", *run * 2, "evaluate Reply", *run]
    assert not [name for name, _ in emission.events if name == "gen_ai.evaluation.result"]
    assert "secret" not in emission.texts()


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
        "    score judged",
        "  invoke_workflow",
        f"    {CHAT}",
    ]
    ((_, found),) = emission.events
    assert found["gen_ai.evaluation.score.value"] == 0.5
    (log,) = emission.logs
    (scored,) = (span.context for span in emission.spans if span.name == "invoke_workflow Reply")
    assert scored is not None
    assert log.log_record.span_id == scored.span_id
