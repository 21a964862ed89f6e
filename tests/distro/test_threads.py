"""Threads and pools inherit the context of their starter or caller, and behave as before."""

from __future__ import annotations

import functools
import inspect
import pickle
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import pytest
from opentelemetry import context as contexts
from opentelemetry import trace
from opentelemetry.context import attach, detach, get_current, get_value, set_value
from opentelemetry.sdk.trace import TracerProvider

from otel_agents.distro.starting.threads import carry_context_into_threads
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.context.scope import (
    conversation_id,
    session_id,
    user_id,
    with_conversation_id,
    with_session_id,
    with_user_id,
)


@pytest.fixture(autouse=True)
def carried() -> Iterator[Callable[[], None]]:
    undo = carry_context_into_threads()
    yield undo
    undo()


@contextmanager
def as_user(who: str) -> Generator[None]:
    token = attach(set_value("who", who))
    try:
        yield
    finally:
        detach(token)


def current_user() -> object:
    return get_value("who")


class Overriding(threading.Thread):
    def __init__(self, seen: list[object]) -> None:
        super().__init__()
        self.seen = seen

    def run(self) -> None:
        self.seen.append(current_user())


class Worker(threading.Thread):
    """Takes jobs from a queue until it is stopped."""

    def __init__(self) -> None:
        super().__init__()
        self._jobs: queue.SimpleQueue[Callable[[], object] | None] = queue.SimpleQueue()
        self._results: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def run(self) -> None:
        while (job := self._jobs.get()) is not None:
            self._results.put(job())

    def run_job(self, job: Callable[[], object]) -> Any:
        self._jobs.put(job)
        return self._results.get()

    def stop(self) -> None:
        self._jobs.put(None)
        self.join()


@pytest.fixture
def worker() -> Iterator[Worker]:
    worker = Worker()
    yield worker
    worker.stop()


def trace_id() -> int:
    return trace.get_current_span().get_span_context().trace_id


def identity() -> tuple[str | None, str | None, str | None, object, int]:
    """Return the identities and the trace id of the current context."""
    return conversation_id(), user_id(), session_id(), current_user(), trace_id()


EMPTY = (None, None, None, None, 0)
TRACER = TracerProvider().get_tracer("t")


@contextmanager
def as_ada() -> Generator[tuple[Any, ...]]:
    """Attach a user's context; yield the result of `working` in it."""
    with TRACER.start_as_current_span("tool"), as_user("Ada"):
        context = with_session_id("s1", with_user_id("ada", with_conversation_id("c1")))
        token = attach(context)
        yield ("c1", "ada", "s1", "Ada", trace_id())
        detach(token)


def test_a_thread_that_outlives_its_starters_span_has_an_empty_context(worker: Worker) -> None:
    with as_ada() as expected:
        worker.start()
        assert worker.run_job(identity) == expected
        with TRACER.start_as_current_span("within"):
            assert worker.run_job(identity) == expected
    assert worker.run_job(identity) == EMPTY
    with as_ada():
        assert worker.run_job(identity) == EMPTY


def test_operations_in_progress_keep_their_context(worker: Worker) -> None:
    """So do a thread that it starts and its spans."""
    started, over = threading.Event(), threading.Event()

    def job() -> list[Any]:
        seen: list[Any] = []
        with TRACER.start_as_current_span("job"):
            started.set()
            over.wait(60)
            seen.append(identity())
            thread = threading.Thread(target=lambda: seen.append(identity()))
            thread.start()
            thread.join()
        return [*seen, identity()]

    with as_ada() as expected, ThreadPoolExecutor(1) as pool:
        worker.start()
        result = pool.submit(worker.run_job, job)
        started.wait(60)
        ended = trace.get_current_span()
        ended.end()
        over.set()
        assert result.result() == [expected, expected, EMPTY]


def test_a_thread_started_after_the_span_has_ended_inherits_nothing(worker: Worker) -> None:
    def job() -> list[Any]:
        seen: list[Any] = []
        thread = threading.Thread(target=lambda: seen.append((identity(), dict(get_current()))))
        thread.start()
        thread.join()
        return seen

    with as_ada():
        worker.start()
    assert worker.run_job(job) == [(EMPTY, {})]


def test_a_job_of_a_pool_keeps_its_context_to_its_end() -> None:
    over = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        with as_ada() as expected:
            job = pool.submit(lambda: (over.wait(60), identity())[1])
        over.set()
        assert job.result() == expected


def test_with_an_unrecorded_span_the_context_ends_when_its_starter_leaves_it(
    worker: Worker,
) -> None:
    remote = trace.NonRecordingSpan(trace.SpanContext(7, 8, is_remote=True))
    with trace.use_span(remote):
        worker.start()
        assert worker.run_job(trace_id) == 7
    assert worker.run_job(trace_id) == 0


def test_without_a_span_a_thread_keeps_the_user_as_long_as_its_starter(
    worker: Worker,
) -> None:
    token = attach(with_user_id("ada", with_conversation_id("c1")))
    worker.start()
    assert worker.run_job(lambda: (user_id(), conversation_id())) == ("ada", "c1")
    detach(token)
    assert worker.run_job(lambda: (user_id(), conversation_id())) == (None, None)


def ordinary(seen: list[object]) -> threading.Thread:
    return threading.Thread(target=lambda: seen.append(current_user()))


def timer(seen: list[object]) -> threading.Thread:
    return threading.Timer(0, lambda: seen.append(current_user()))


@pytest.mark.parametrize("make", [ordinary, Overriding, timer])
def test_a_thread_inherits_the_context_of_its_starter(make: Callable[[list[object]], Any]) -> None:
    seen: list[object] = []
    thread = make(seen)
    with as_user("Ada"):
        thread.start()
    thread.join()
    assert seen == ["Ada"]
    assert "run" not in vars(thread)


def test_a_run_of_the_thread_itself_is_called_and_kept() -> None:
    seen: list[object] = []
    thread: Any = threading.Thread()
    thread.run = own = lambda: seen.append(current_user())
    with as_user("Ada"):
        thread.start()
    thread.join()
    assert seen == ["Ada"]
    assert vars(thread)["run"] is own


def test_a_thread_that_cannot_be_started_stays_as_it_was() -> None:
    thread = ordinary([])
    thread.start()
    thread.join()
    with as_user("Ada"), pytest.raises(RuntimeError, match="only be started once"):
        thread.start()
    assert "run" not in vars(thread)


def test_a_job_inherits_the_context_of_its_caller_and_a_worker_none() -> None:
    """Workers are started by the first job, and run all others."""
    with ThreadPoolExecutor(1) as pool:
        with as_user("Ada"):
            first = pool.submit(current_user)
            mapped = list(pool.map(get_value, ("who", "what")))
        with as_user("Bob"):
            second = pool.submit(current_user)
        third = pool.submit(get_current)
        assert (first.result(), mapped, second.result()) == ("Ada", ["Ada", None], "Bob")
        assert third.result() == {}


def test_the_callers_context_is_unchanged() -> None:
    with as_user("Ada"), ThreadPoolExecutor(1) as pool:
        before = get_current()
        pool.submit(current_user).result()
        ordinary([]).start()
        assert get_current() is before


def test_a_result_an_exception_and_arguments_are_the_jobs_own() -> None:
    def fails() -> None:
        raise LookupError("no trains")

    submit: Any = ThreadPoolExecutor.submit
    with as_user("Ada"), ThreadPoolExecutor(1) as pool:
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


def test_a_later_wrapper_stays(
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
    """The context implementation may be foreign (`OTEL_PYTHON_CONTEXT`)."""
    monkeypatch.setattr(errors, "strict", False)
    monkeypatch.setattr(errors, "counts", type(errors.counts)())

    def fail(*_: Any) -> Any:
        raise LookupError

    seen: list[object] = []
    with as_user("me"), ThreadPoolExecutor(1) as pool:
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
