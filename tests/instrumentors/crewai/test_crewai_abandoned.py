"""Streaming crews that the application abandons: work that goes on is recorded to its end."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest
from crews import CHAT, agent, crew, run_of, task
from ended import Ended

from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Hold, Response, ScriptedModel

CANCELLED = "asyncio.exceptions.CancelledError"
WHOLE = ["invoke_workflow", *run_of("Writer"), *run_of("Editor")]

pytestmark = pytest.mark.usefixtures("instrumented")


@pytest.fixture
def gate(model: ScriptedModel) -> Event:
    """Return an event that lets the first response go on after its first chunk."""
    gate = Event()
    model.script(Response("one two three", hold=Hold(after=2, gate=gate)))
    return gate


@pytest.fixture
def streaming(llm: Any) -> Any:
    return crew(task(agent(llm, "Writer")), task(agent(llm, "Editor")), stream=True)


@pytest.fixture(autouse=True)
def billed(model: ScriptedModel, emission: Emission) -> Iterator[None]:
    """Check at the end that all spans ended, and that the calls are those that were billed."""
    yield
    assert list(in_progress.operations()) == []
    calls = [span for span in emission.spans if span.name == CHAT]
    recorded: list[Any] = [(span.attributes or {})["gen_ai.usage.input_tokens"] for span in calls]
    assert sorted(recorded) == sorted(entry.input_tokens for entry in model.ledger.entries)


def errors(emission: Emission) -> list[tuple[str, Any]]:
    """Return name and error of each span."""
    return [(span.name, (span.attributes or {}).get("error.type")) for span in emission.spans]


def test_one_that_is_closed_runs_to_its_end(
    streaming: Any, gate: Event, emission: Emission
) -> None:
    output = streaming.kickoff()
    next(iter(output))
    gate.set()
    output.close()  # waits for the thread
    assert emission.tree() == WHOLE
    assert {error for _, error in errors(emission)} == {None}


def test_one_that_is_dropped_runs_to_its_end(
    streaming: Any, gate: Event, emission: Emission
) -> None:
    ended = Ended(emission.tracer_provider)
    output = streaming.kickoff()
    next(iter(output))
    del output
    gc.collect()
    gate.set()
    ended.wait("invoke_workflow")
    assert emission.tree() == WHOLE
    assert {error for _, error in errors(emission)} == {None}


def test_one_that_was_never_read_has_not_started(
    streaming: Any, model: ScriptedModel, emission: Emission
) -> None:
    streaming.kickoff().close()
    assert emission.spans == ()
    assert model.ledger.requests == 0


def test_one_in_a_thread_of_a_loop_runs_to_its_end(
    streaming: Any, gate: Event, emission: Emission
) -> None:
    async def leave() -> None:
        output = await streaming.kickoff_async()
        await anext(aiter(output))
        gate.set()
        await output.aclose()

    asyncio.run(leave())  # waits for the thread
    assert emission.tree() == WHOLE
    assert {error for _, error in errors(emission)} == {None}


@pytest.mark.parametrize("closes", [True, False])
def test_an_asynchronous_one_is_cancelled(
    closes: bool, streaming: Any, gate: Event, emission: Emission
) -> None:
    async def leave() -> None:
        output = await streaming.akickoff()
        await anext(aiter(output))
        if closes:
            await output.aclose()
        gate.set()

    asyncio.run(leave())  # waits for the thread that calls the model
    assert emission.tree() == ["invoke_workflow", *run_of("Writer")]
    assert dict(errors(emission)) == {
        CHAT: None,
        "invoke_agent Writer": CANCELLED,
        "task": CANCELLED,
        "invoke_workflow": CANCELLED,
    }
