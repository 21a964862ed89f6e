"""Threads and pools work in the context of whoever started or asked them, and are as they were."""

from __future__ import annotations

import functools
import inspect
import pickle
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import context as contexts
from opentelemetry.context import attach, detach, get_current, get_value, set_value

from otel_agents.distro.starting.threads import carry_context_into_threads
from otel_agents.instrumentors._core import errors


@pytest.fixture(autouse=True)
def carried() -> Iterator[Callable[[], None]]:
    undo = carry_context_into_threads()
    yield undo
    undo()


@contextmanager
def working_for(who: str) -> Generator[None]:
    token = attach(set_value("who", who))
    try:
        yield
    finally:
        detach(token)


def whom() -> object:
    return get_value("who")


class Overriding(threading.Thread):
    def __init__(self, seen: list[object]) -> None:
        super().__init__()
        self.seen = seen

    def run(self) -> None:
        self.seen.append(whom())


def ordinary(seen: list[object]) -> threading.Thread:
    return threading.Thread(target=lambda: seen.append(whom()))


def timer(seen: list[object]) -> threading.Thread:
    return threading.Timer(0, lambda: seen.append(whom()))


@pytest.mark.parametrize("make", [ordinary, Overriding, timer])
def test_a_thread_works_for_whom_started_it(make: Callable[[list[object]], Any]) -> None:
    seen: list[object] = []
    thread = make(seen)
    with working_for("Ada"):
        thread.start()
    thread.join()
    assert seen == ["Ada"]
    assert "run" not in vars(thread)


def test_a_run_of_the_thread_itself_is_called_and_kept() -> None:
    seen: list[object] = []
    thread: Any = threading.Thread()
    thread.run = own = lambda: seen.append(whom())
    with working_for("Ada"):
        thread.start()
    thread.join()
    assert seen == ["Ada"]
    assert vars(thread)["run"] is own


def test_a_thread_that_cannot_be_started_stays_as_it_was() -> None:
    thread = ordinary([])
    thread.start()
    thread.join()
    with working_for("Ada"), pytest.raises(RuntimeError, match="only be started once"):
        thread.start()
    assert "run" not in vars(thread)


def test_a_job_works_for_whom_submitted_it_and_a_worker_for_nobody() -> None:
    """Workers are started by the first job, and serve all others."""
    with ThreadPoolExecutor(1) as pool:
        with working_for("Ada"):
            first = pool.submit(whom)
            mapped = list(pool.map(get_value, ("who", "what")))
        with working_for("Bob"):
            second = pool.submit(whom)
        third = pool.submit(get_current)
        assert (first.result(), mapped, second.result()) == ("Ada", ["Ada", None], "Bob")
        assert third.result() == {}


def test_the_callers_context_is_as_it_was() -> None:
    with working_for("Ada"), ThreadPoolExecutor(1) as pool:
        before = get_current()
        pool.submit(whom).result()
        ordinary([]).start()
        assert get_current() is before


def test_a_result_an_exception_and_arguments_are_the_jobs_own() -> None:
    def fails() -> None:
        raise LookupError("no trains")

    submit: Any = ThreadPoolExecutor.submit
    with working_for("Ada"), ThreadPoolExecutor(1) as pool:
        assert pool.submit(int, "ff", base=16).result() == 255
        assert pool.submit(functools.partial(int, "11"), base=2).result() == 3
        with pytest.raises(LookupError, match="no trains"):
            pool.submit(fails).result()
        with pytest.raises(TypeError, match="fn"):
            submit(pool)


def test_the_methods_pickle_and_inspect_as_before_and_come_back(
    carried: Callable[[], None],
) -> None:
    start, submit = threading.Thread.start, ThreadPoolExecutor.submit
    assert pickle.loads(pickle.dumps(submit)) is submit
    assert pickle.loads(pickle.dumps(start)) is start
    signatures = str(inspect.signature(start)), str(inspect.signature(submit))
    carried()
    assert threading.Thread.start is not start
    assert ThreadPoolExecutor.submit is not submit
    originals = threading.Thread.start, ThreadPoolExecutor.submit
    assert tuple(str(inspect.signature(it)) for it in originals) == signatures


def test_what_somebody_wrapped_since_stays(
    carried: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    def theirs(self: threading.Thread) -> None: ...

    monkeypatch.setattr(threading.Thread, "start", theirs)
    carried()
    assert threading.Thread.start is theirs


@pytest.mark.parametrize("name", ["get_current", "attach"])
def test_a_context_that_cannot_be_carried_stops_no_thread(
    monkeypatch: pytest.MonkeyPatch, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An implementation of contexts is anybody's (`OTEL_PYTHON_CONTEXT`)."""
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())

    def fail(*_: Any) -> Any:
        raise LookupError

    seen: list[object] = []
    with working_for("me"), ThreadPoolExecutor(1) as pool:
        monkeypatch.setattr(contexts, name, fail)
        thread = threading.Thread(target=lambda: seen.append("run"))
        thread.start()
        thread.join()
        assert pool.submit(str.upper, "done").result() == "DONE"
        monkeypatch.undo()
    assert seen == ["run"]
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 1
    assert lines[0].startswith("otel-agents failed while ")
