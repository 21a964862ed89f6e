"""Errors that pass several runs, and what a library's instrumentor keeps with a run."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest
from opentelemetry.context import Context, attach, detach

from otel_agents.instrumentors import InvokeAgent, Operation, Runs, Telemetry
from otel_agents.instrumentors._core.operations.runs import Batch
from otel_agents.testing.emission import Emission

Begin = Callable[[Context], Operation]
Agent = Callable[[str], Begin]


@pytest.fixture
def agent(telemetry: Telemetry) -> Agent:
    return lambda name: lambda parent: InvokeAgent(telemetry, name, parent=parent)


def nothing(parent: Context) -> None:
    """Start nothing: the run is not shown."""


def errors_of(emission: Emission) -> list[tuple[str, object]]:
    return [(s.name, (s.attributes or {}).get("error.type")) for s in emission.spans]


def raised_in(emission: Emission) -> list[object]:
    """Return the span ids of the exception events, in the order of their emission."""
    return [log.log_record.span_id for log in emission.logs]


def span_id(emission: Emission, name: str) -> object:
    (span,) = (s for s in emission.spans if s.name == f"invoke_agent {name}")
    assert span.context is not None
    return span.context.span_id


def test_an_error_is_on_every_run_and_its_event_where_it_was_raised(
    agent: Agent, emission: Emission
) -> None:
    runs, error = Runs("toy"), ValueError("secret")
    runs.start(1, None, agent("root"))
    runs.start(2, 1, nothing)
    runs.start(3, 2, agent("leaf"))
    for run_id in (3, 2, 1):
        runs.fail(run_id, error)
    assert errors_of(emission) == [
        ("invoke_agent leaf", "ValueError"),
        ("invoke_agent root", "ValueError"),
    ]
    assert raised_in(emission) == [span_id(emission, "leaf")]


def test_an_error_of_a_run_without_a_span_has_its_event_on_the_span_above(
    agent: Agent, emission: Emission
) -> None:
    runs, error = Runs("toy"), ValueError("secret")
    runs.start(1, None, agent("root"))
    runs.start(2, 1, agent("middle"))
    runs.start(3, 2, nothing)
    for run_id in (3, 2, 1):
        runs.fail(run_id, error)
    assert raised_in(emission) == [span_id(emission, "middle")]


def test_an_error_of_a_batch_has_one_event(agent: Agent, emission: Emission) -> None:
    runs, error, batch = Runs("toy"), ValueError("secret"), Batch()
    token = attach(runs.in_batch(batch, Context()))
    runs.start(1, None, agent("first"))
    runs.start(2, None, agent("second"))
    runs.start(3, 2, agent("leaf"))
    detach(token)
    for run_id in (3, 1, 2):
        runs.fail(run_id, error)
    assert raised_in(emission) == [span_id(emission, "leaf")]
    assert batch.has_reported(error)
    assert not batch.has_reported(KeyError())


def test_a_call_in_a_batch_may_have_reported_an_error() -> None:
    runs, error, batch = Runs("toy"), ValueError(), Batch()
    token = attach(runs.in_batch(batch, Context()))
    runs.passed(None, error)
    detach(token)
    assert batch.has_reported(error)


def test_an_error_that_a_run_of_a_batch_has_handled_is_over(agent: Agent) -> None:
    runs, error, batch = Runs("toy"), ValueError(), Batch()
    token = attach(runs.in_batch(batch, Context()))
    runs.start(1, None, agent("root"))
    runs.start(2, 1, agent("first"))
    runs.fail(2, error)
    runs.start(3, 1, agent("second"))
    detach(token)
    runs.end(1)
    assert not batch.has_reported(error)


def test_the_first_error_of_children_that_run_at_once_passes(
    agent: Agent, emission: Emission
) -> None:
    runs, error, cancelled = Runs("toy"), ValueError(), asyncio.CancelledError()
    runs.start(1, None, agent("root"))
    runs.start(2, 1, agent("first"))
    runs.start(3, 1, agent("second"))
    runs.fail(2, error)
    runs.fail(3, cancelled)
    runs.fail(1, error)
    assert raised_in(emission) == [span_id(emission, "first"), span_id(emission, "second")]


def test_a_further_error_has_its_own_event(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy")
    runs.start(1, None, agent("root"))
    runs.start(2, 1, agent("leaf"))
    runs.fail(2, ValueError())
    runs.fail(1, KeyError())
    assert raised_in(emission) == [span_id(emission, "leaf"), span_id(emission, "root")]


def test_an_error_before_the_next_child_is_over(agent: Agent, emission: Emission) -> None:
    runs, error = Runs("toy"), ValueError()
    runs.start(1, None, agent("root"))
    runs.start(2, 1, agent("first"))
    runs.fail(2, error)
    runs.start(3, 1, agent("second"))
    runs.end(3)
    runs.fail(1, error)
    assert raised_in(emission) == [span_id(emission, "first"), span_id(emission, "root")]


@pytest.mark.parametrize("by_id", [True, False])
def test_what_is_no_run_may_have_reported_an_error(
    agent: Agent, emission: Emission, by_id: bool
) -> None:
    runs, error = Runs("toy"), ValueError()
    token = attach(runs.start(1, None, agent("root")))
    runs.passed(1 if by_id else None, error)
    detach(token)
    runs.passed(None, error)
    runs.passed(2, error)
    runs.fail(1, error)
    assert errors_of(emission) == [("invoke_agent root", "ValueError")]
    assert raised_in(emission) == []


def test_failing_an_unknown_run_does_nothing(emission: Emission) -> None:
    Runs("toy").fail("unknown", ValueError())
    assert emission.spans == ()


def test_a_run_has_its_parents_facts_or_its_own() -> None:
    runs = Runs("toy")
    runs.start(1, None, nothing, facts="graph")
    runs.start(2, 1, nothing)
    runs.start(3, 2, nothing, facts="node")
    runs.start(4, None, nothing)
    found = [runs.find(run_id) for run_id in (1, 2, 3, 4)]
    assert [run.facts for run in found if run is not None] == ["graph", "graph", "node", None]


def test_a_run_that_ended_does_not_hold_its_parent() -> None:
    runs = Runs("toy")
    runs.start(1, None, nothing)
    runs.start(2, 1, nothing)
    run = runs.find(2)
    assert run is not None
    assert run.above is runs.find(1)
    runs.end(1)
    assert run.above is None
    assert len(runs) == 0
