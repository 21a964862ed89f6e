"""What a table of runs keeps: a bounded number, only runs in progress, only this process's."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Callable

import pytest
from forked import in_a_forked_child
from opentelemetry.context import Context

from otel_agents.instrumentors import InvokeAgent, Operation, Runs, Step, Telemetry, carry
from otel_agents.instrumentors._core import errors
from otel_agents.testing.emission import Emission

Begin = Callable[[Context], Operation]
Agent = Callable[[object], Begin]


class Broken(InvokeAgent):
    """An operation whose ``conclude`` raises."""

    def conclude(self) -> None:
        raise LookupError


@pytest.fixture
def broken(telemetry: Telemetry) -> Begin:
    return lambda parent: Broken(telemetry, "broken", parent=parent)


@pytest.fixture
def agent(telemetry: Telemetry) -> Agent:
    return lambda name: lambda parent: InvokeAgent(telemetry, str(name), parent=parent)


def ended(emission: Emission) -> list[str]:
    return [name.replace("invoke_agent ", "") for name in emission.names]


def test_beyond_the_limit_the_oldest_are_ended_and_removed(
    agent: Agent, emission: Emission
) -> None:
    runs = Runs("toy", limit=2)
    for run_id in range(4):
        runs.start(run_id, None, agent(run_id))
    assert (ended(emission), len(runs)) == (["0", "1"], 2)
    for run_id in range(4):
        runs.end(run_id)
    assert ended(emission) == ["0", "1", "2", "3"]


def test_a_run_without_its_root_ends_by_itself(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy", limit=2)
    runs.start("root", None, agent("root"))
    runs.start("a", "root", agent("a"))
    runs.start("b", "root", agent("b"))
    runs.end("root")
    assert ended(emission) == ["root"]
    runs.end("b")
    runs.end("a")
    assert ended(emission) == ["root", "b", "a"]


def test_our_error_while_evicting_stops_nothing(
    agent: Agent, broken: Begin, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    runs = Runs("toy", limit=1)
    for run_id in range(2):
        runs.start(run_id, None, broken)
    assert (caught, ended(emission), len(runs)) == (["describing an operation"], ["broken"], 1)
    runs.start("below", 1, agent("never in the table"))
    assert len(caught) == 2


def test_our_error_below_a_root_stops_nothing(
    agent: Agent, broken: Begin, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    runs = Runs("toy")
    runs.start("root", None, agent("root"))
    runs.start("a", "root", agent("a"))
    runs.start("b", "root", broken)
    runs.end("root")
    assert (caught, len(runs)) == (["describing an operation"], 0)
    assert ended(emission) == ["broken", "a", "root"]


def fail(operation: Operation) -> None:
    raise LookupError


def test_an_error_in_a_report_is_raised_and_the_run_has_ended(
    agent: Agent, emission: Emission
) -> None:
    """The callback itself is guarded."""
    runs = Runs("toy")
    runs.start("root", None, agent("root"))
    runs.start("a", "root", agent("a"))
    with pytest.raises(LookupError):
        runs.end("root", fail)
    assert (ended(emission), len(runs)) == (["a", "root"], 0)


class _Unreadable(Step):
    def respond(self, value: object) -> None:
        raise LookupError


def test_our_error_in_a_result_is_raised_and_the_run_has_ended(
    telemetry: Telemetry, emission: Emission
) -> None:
    runs = Runs("toy")
    runs.start("a", None, lambda parent: _Unreadable(telemetry, "step", "a", parent=parent))
    with pytest.raises(LookupError):
        runs.returned("a", "result")
    assert (ended(emission), len(runs)) == (["step a"], 0)


@pytest.mark.parametrize("atomic", [False, True])
def test_a_run_that_fails_to_start_is_not_in_progress(
    agent: Agent, emission: Emission, atomic: bool
) -> None:
    def unable(parent: Context) -> Operation:
        raise LookupError

    runs = Runs("toy")
    runs.start("root", None, agent("root"))
    with pytest.raises(LookupError):
        runs.start("a", "root", unable, atomic=atomic)
    assert (runs.find("a"), len(runs)) == (None, 1)
    runs.start("below", "a", agent("below"))
    runs.end("below")
    runs.end("root")
    assert ended(emission) == ["below", "root"]


def nothing(parent: Context) -> None:
    """Start nothing: the run is not shown."""


def test_our_error_in_the_earlier_run_stops_nothing(
    agent: Agent, broken: Begin, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[str] = []
    monkeypatch.setattr(errors, "internal_error", caught.append)
    runs = Runs("toy")
    runs.start("id", None, broken)
    runs.start("id", None, agent("second"))
    assert (caught, len(runs)) == (["describing an operation"], 1)
    runs.end("id")
    assert ended(emission) == ["broken", "second"]


class Id:
    """An id that can be weakly referenced."""


def test_a_long_root_keeps_nothing_of_ended_runs(agent: Agent, emission: Emission) -> None:
    """Such as a server's root, which has no end."""
    runs = Runs("toy")
    runs.start("root", None, agent("root"))
    gone: list[weakref.ref[Id]] = []
    for begin in (agent("below"), nothing):
        below = Id()
        gone.append(weakref.ref(below))
        runs.start(below, "root", begin)
        runs.end(below)
        del below
    gc.collect()
    assert [reference() for reference in gone] == [None, None]
    runs.end("root")


@pytest.mark.usefixtures("uncollected")
def test_an_ended_operation_is_freed(agent: Agent, emission: Emission) -> None:
    """It holds request and response, which may be large."""
    runs, operations = Runs("toy", limit=2), list[weakref.ref[Operation]]()

    def begin(parent: Context) -> Operation:
        operation = agent("id")(parent)
        operations.append(weakref.ref(operation))
        return operation

    runs.start("root", None, begin)
    runs.start("below", "root", begin)
    runs.start("more", None, begin)
    runs.end("below")
    runs.end("more")
    assert ended(emission) == ["id"] * 3
    assert [operation() for operation in operations] == [None] * 3


def test_a_forked_child_has_no_runs_and_ends_none(agent: Agent, emission: Emission) -> None:
    runs = Runs("toy")
    context = runs.start("root", None, agent("root"))

    def in_the_child() -> list[object]:
        runs.end("root")
        found = [len(runs), runs.find("root"), runs.context_of("root"), ended(emission)]
        runs.start("mine", "root", agent("mine"))
        runs.end("mine")
        return [*found, len(runs), ended(emission)]

    printed = in_a_forked_child(carry(in_the_child, context))
    assert printed == "[0, None, None, [], 0, ['mine']]"
    assert len(runs) == 1
    runs.end("root")
    assert ended(emission) == ["root"]


def test_two_threads_start_and_end_their_own_runs(agent: Agent, emission: Emission) -> None:
    runs, together = Runs("toy"), threading.Barrier(2)
    runs.start("root", None, agent("root"))

    def work(name: str) -> None:
        together.wait(10)
        for number in range(50):
            runs.start((name, number), "root", agent(f"{name} {number}"))
            if number % 2:
                runs.end((name, number))
                runs.end((name, number - 1))

    threads = [threading.Thread(target=work, args=(name,)) for name in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(runs) == 1
    runs.end("root")
    expected = sorted(f"{name} {number}" for name in "ab" for number in range(50))
    assert sorted(ended(emission)) == [*expected, "root"]
    assert emission.traces() == 1


def test_two_threads_that_end_one_run_end_it_once(agent: Agent, emission: Emission) -> None:
    runs, together = Runs("toy"), threading.Barrier(2)

    def work() -> None:
        for number in range(50):
            together.wait(10)
            runs.end(number)

    for number in range(50):
        runs.start(number, None, agent(number))
    threads = [threading.Thread(target=work) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert ended(emission) == [str(number) for number in range(50)]
