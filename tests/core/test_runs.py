"""Operations identified by a library's ids: their context, and that each ends once."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.context import Context, attach, detach, get_current

from otel_agents.instrumentors import InvokeAgent, Operation, Runs, Step, Telemetry, carry
from otel_agents.testing.emission import Emission

Begin = Callable[[Context], Operation]


@pytest.fixture
def agent(telemetry: Telemetry) -> Callable[[str], Begin]:
    return lambda name: lambda parent: InvokeAgent(telemetry, name, parent=parent)


Agent = Callable[[str], Begin]


def nothing(parent: Context) -> None:
    """Start nothing: the run is not shown."""


def tree(emission: Emission) -> list[str]:
    return [line.replace("invoke_agent ", "") for line in emission.tree()]


def ended(emission: Emission) -> list[str]:
    return [name.replace("invoke_agent ", "") for name in emission.names]


# Contexts.


def test_a_run_is_under_its_parent_by_id_wherever_it_is_called(
    agent: Agent, emission: Emission
) -> None:
    runs = Runs("toy")
    runs.start(1, None, agent("root"))
    for run_id, parent_id, name in ((2, 1, "child"), (3, 2, "grandchild"), (4, 1, "sibling")):
        thread = threading.Thread(target=runs.start, args=(run_id, parent_id, agent(name)))
        thread.start()
        thread.join()
    for run_id in (3, 2, 4, 1):
        runs.end(run_id)
    assert tree(emission) == ["root", "  child", "    grandchild", "  sibling"]
    assert len(runs) == 0


def test_the_context_of_a_run_is_that_of_its_operation(agent: Agent) -> None:
    runs = Runs("toy")
    context = runs.start("id", None, agent("root"))
    run = runs.find("id")
    assert run is not None
    assert run.operation is not None
    assert runs.context_of("id") is context is run.context is run.operation.context
    assert runs.current(context) is run
    assert runs.current() is None
    runs.end("id")
    assert (runs.find("id"), runs.context_of("id")) == (None, None)


def test_an_application_span_in_between_stays_in_between(
    agent: Agent, telemetry: Telemetry, emission: Emission
) -> None:
    """The application starts it where the run is current."""
    runs = Runs("toy")

    def application() -> None:
        step = Step(telemetry, "step", "of its own")
        carry(lambda: runs.start("child", "root", agent("child")), step.context)()
        step.end()

    carry(application, runs.start("root", None, agent("root")))()
    runs.end("child")
    runs.end("root")
    assert tree(emission) == ["root", "  step of its own", "    child"]


def test_a_siblings_current_context_is_not_in_between(agent: Agent, emission: Emission) -> None:
    """Such as a callback that is called in the context of a sibling."""
    runs = Runs("toy")
    runs.start("root", None, agent("root"))
    sibling = runs.start("sibling", "root", agent("sibling"))
    carry(lambda: runs.start("child", "root", agent("child")), sibling)()
    runs.end("root")
    assert tree(emission) == ["root", "  sibling", "  child"]


def test_tables_of_runs_are_separate(agent: Agent, emission: Emission) -> None:
    runs, others = Runs("toy"), Runs("toy")
    theirs = others.start("root", None, agent("theirs"))
    assert runs.current(theirs) is None
    assert (runs.find("root"), runs.context_of("root")) == (None, None)
    carry(lambda: runs.start("child", "root", agent("child")), theirs)()
    runs.end("child")
    others.end("root")
    assert tree(emission) == ["theirs", "  child"]


@pytest.mark.parametrize("hidden", [None, nothing])
def test_a_run_without_an_operation_links_parent_and_children(
    agent: Agent, emission: Emission, hidden: Callable[[Context], None] | None
) -> None:
    runs = Runs("toy")
    runs.start(1, None, agent("root"))
    between = runs.start(2, 1, hidden)
    runs.start(3, 2, hidden)
    runs.start(4, 3, agent("leaf"))
    run = runs.find(2)
    assert run is not None
    assert (run.operation, runs.current(between)) == (None, run)
    for run_id in (4, 3, 2, 1):
        runs.end(run_id)
    assert tree(emission) == ["root", "  leaf"]


def test_a_root_without_an_operation_has_the_context_of_its_start(
    agent: Agent, telemetry: Telemetry, emission: Emission
) -> None:
    runs, step = Runs("toy"), Step(telemetry, "step", "around")
    carry(lambda: runs.start(1, None, nothing), step.context)()
    runs.start(2, 1, agent("leaf"))
    runs.end(1)
    step.end()
    assert tree(emission) == ["step around", "  leaf"]


@pytest.mark.parametrize("parent_id", [None, "unheard of"])
def test_without_a_parent_in_progress_the_current_context_is_used(
    parent_id: str | None, agent: Agent, telemetry: Telemetry, emission: Emission
) -> None:
    runs, step = Runs("toy"), Step(telemetry, "step", "around")
    token = attach(step.context)
    try:
        assert runs.parent_context(parent_id) is get_current()
        runs.start("child", parent_id, agent("child"))
    finally:
        detach(token)
    runs.end("child")
    step.end()
    assert tree(emission) == ["step around", "  child"]


def test_any_hashable_is_an_id(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy")
    ids: list[Any] = ["", 0, (1, "a"), None.__class__]
    for between, run_id in enumerate(ids):
        runs.start(run_id, ids[between - 1] if between else None, agent(str(between)))
    runs.end("")
    assert tree(emission) == ["0", "  1", "    2", "      3"]


# Ends.


def test_a_run_ends_by_what_is_reported(agent: Agent, emission: Emission) -> None:
    runs, reported = Runs("toy"), list[Any]()
    for name in ("told", "failed", "ended", "returned"):
        runs.start(name, None, agent(name))
    runs.end("told", lambda operation: reported.append(operation.returned("result")))
    runs.fail("failed", LookupError("a secret"))
    runs.end("ended")
    runs.returned("returned", "result")
    assert reported == ["result"]
    errors_of = {s.name: (s.attributes or {}).get("error.type") for s in emission.spans}
    assert list(errors_of.values()) == [None, "LookupError", None, None]
    assert ended(emission) == ["told", "failed", "ended", "returned"]


def test_ending_an_unknown_run_does_nothing(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy")
    runs.start("id", None, agent("once"))
    for _ in range(2):
        runs.end("id")
        runs.fail("id", LookupError())
        runs.end("unheard of", lambda operation: pytest.fail("there is none"))
        runs.returned("unheard of", "result")
    assert ended(emission) == ["once"]
    assert "error.type" not in (emission.span.attributes or {})


def test_a_run_that_ends_leaves_the_others_in_progress(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy")
    for run_id, parent_id in (("root", None), ("a", "root"), ("b", "root"), ("below a", "a")):
        runs.start(run_id, parent_id, agent(run_id))
    runs.end("a")
    assert (ended(emission), len(runs)) == (["a"], 3)
    runs.end("root")


def test_ending_a_root_ends_and_removes_its_tree(agent: Agent, emission: Emission) -> None:
    """The innermost first; other roots go on."""
    runs = Runs("toy")
    for run_id, parent_id in (
        *(("root", None), ("a", "root"), ("other", None), ("below a", "a"), ("b", "root")),
        *(("below other", "other"), ("gone", "b")),
    ):
        runs.start(run_id, parent_id, agent(run_id))
    runs.end("gone")
    runs.end("root")
    assert ended(emission) == ["gone", "b", "below a", "a", "root"]
    assert [runs.find(run_id) is None for run_id in ("root", "a", "b", "below a")] == [True] * 4
    assert (runs.find("other") is None, len(runs)) == (False, 2)
    runs.end("other")
    assert len(runs) == 0


def test_a_run_after_the_end_of_its_root_is_a_root(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy")
    runs.start("root", None, agent("root"))
    runs.end("root")
    runs.start("late", "root", agent("late"))
    runs.start("below", "late", agent("below"))
    runs.end("late")
    assert tree(emission) == ["root", "late", "  below"]


def test_starting_an_id_again_ends_the_earlier_run(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy")
    runs.start("id", None, agent("first"))
    runs.start("below", "id", agent("below"))
    runs.start("id", None, agent("second"))
    assert ended(emission) == ["below", "first"]
    runs.end("id")
    assert (tree(emission), len(runs)) == (["first", "  below", "second"], 0)
