"""One of several runs fails: the others are recorded with their results."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from threading import Event
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task

from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ModelRequest, Response, ScriptedModel

BAD = "planted-secret"
REFUSED = "openai.AuthenticationError"
CANCELLED = "asyncio.exceptions.CancelledError"
INPUTS = [{"topic": "a"}, {"topic": BAD}, {"topic": "c"}]

Errors = dict[tuple[str, Any], int]
Raised = tuple[type[BaseException], str, str]


def refusing(model: ScriptedModel, gate: Event) -> None:
    """Have the model refuse bad requests, and respond to the others once ``gate`` is set."""

    def react(request: ModelRequest) -> Response | Failure:
        return Failure(401, message=BAD) if BAD in str(request.body) else Response("it", gate=gate)

    model.script_by(react)


def raised(start: Callable[[], Any], gate: Event) -> Raised:
    """Return the exception that the application sees, and its cause; then set ``gate`` and wait."""

    async def awaited(started: Any) -> None:
        try:
            await started
        finally:
            gate.set()

    before = set(threading.enumerate())
    with pytest.raises(Exception, match=BAD) as caught:
        asyncio.run(awaited(start()))
    gate.set()
    for thread in set(threading.enumerate()) - before:  # those of tasks that run on
        if thread.name.endswith("(run)"):
            thread.join(30)
            assert not thread.is_alive()
    error = caught.value
    return type(error), repr(error), repr(error.__cause__ or error.__context__)


def errors(emission: Emission) -> Errors:
    """Return the count of spans by name and error; check that none is open."""
    assert list(in_progress.operations()) == []
    found = [(span.name, (span.attributes or {}).get("error.type")) for span in emission.spans]
    return {one: found.count(one) for one in found}


def each(llm: Any, form: str) -> Callable[[], Any]:
    """Start ``form`` of a crew for each of the inputs."""
    writer = agent(llm, "Writer", max_retry_limit=0)
    return lambda: getattr(crew(task(writer, description="on {topic}")), form)(inputs=INPUTS)


def of_crews(error: str | None, number: int = 1) -> Errors:
    """Return the counts for this many crews, each with the same error, without their models."""
    names = ("invoke_workflow", "task", "invoke_agent Writer")
    return {(name, error): number for name in names}


CREW = ["  invoke_workflow", *run_of("Writer", depth=2)]


def test_an_input_that_fails_is_the_last_one(
    llm: Any, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    gate = Event()
    gate.set()
    refusing(model, gate)
    alone = raised(each(llm, "kickoff_for_each"), gate)
    instrument()
    assert raised(each(llm, "kickoff_for_each"), gate) == alone
    assert emission.tree() == ["kickoff_for_each", *CREW * 2]
    failed = {("kickoff_for_each", REFUSED): 1, (CHAT, REFUSED): 1, **of_crews(REFUSED)}
    assert errors(emission) == {**of_crews(None), (CHAT, None): 1, **failed}
    assert BAD not in emission.texts()


@pytest.mark.parametrize(
    ("form", "others"), [("kickoff_for_each_async", None), ("akickoff_for_each", CANCELLED)]
)
def test_an_input_that_fails_while_others_run(
    form: str,
    others: str | None,
    llm: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    def run() -> Raised:
        gate = Event()
        refusing(model, gate)
        return raised(each(llm, form), gate)

    alone = run()
    instrument()
    assert run() == alone
    assert emission.tree() == ["kickoff_for_each", *CREW * 3]
    failed = {("kickoff_for_each", REFUSED): 1, (CHAT, REFUSED): 1, **of_crews(REFUSED)}
    assert errors(emission) == {**of_crews(others, 2), (CHAT, None): 2, **failed}
    assert BAD not in emission.texts()


@pytest.mark.parametrize(("form", "other"), [("kickoff", None), ("akickoff", CANCELLED)])
def test_a_task_that_fails_while_another_runs(
    form: str,
    other: str | None,
    llm: Any,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    def run() -> Raised:
        gate = Event()
        refusing(model, gate)
        work = [
            task(
                agent(llm, role, max_retry_limit=0),
                async_execution=role != "Editor",
                description=description,
            )
            for role, description in (("Bad", BAD), ("Good", "it"), ("Editor", "it"))
        ]
        return raised(getattr(crew(*work), form), gate)

    alone = run()
    instrument()
    assert run() == alone
    lines = emission.tree()
    assert lines[0] == "invoke_workflow"
    assert sorted((lines[1:4], lines[4:])) == [run_of("Bad"), run_of("Good")]
    assert errors(emission) == {
        ("invoke_workflow", REFUSED): 1,
        ("task", REFUSED): 1,
        ("invoke_agent Bad", REFUSED): 1,
        (CHAT, REFUSED): 1,
        ("task", other): 1,
        ("invoke_agent Good", other): 1,
        (CHAT, None): 1,
    }
    assert BAD not in emission.texts()
