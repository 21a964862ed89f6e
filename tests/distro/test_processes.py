"""A job of a process pool runs in the context of its caller, however its worker was started."""

from __future__ import annotations

import inspect
import pickle
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing.pool import Pool, ThreadPool
from pathlib import Path
from typing import Any

import pytest
from instrumented import DISABLED, instrumented, script
from opentelemetry.context import attach, detach, get_current, get_value, set_value
from otlp_receiver import Receiver

from otel_agents.distro.starting.processes import carry_context_into_processes

JOBS = """
    import multiprocessing, sys
    from concurrent.futures import ProcessPoolExecutor
    from opentelemetry import trace
    from otel_agents.distro import initialize

    initialize()  # old versions of opentelemetry-instrument do not reach spawned children
    tracer = trace.get_tracer("t")

    def work(name, other=""):
        with tracer.start_as_current_span(name + other):
            return name

    if __name__ == "__main__":
        context = multiprocessing.get_context(sys.argv[1])
        with tracer.start_as_current_span("creating"):
            pool = context.Pool(1)
            executor = ProcessPoolExecutor(1, context)
            executor.submit(int).result()  # it starts its workers now
        with tracer.start_as_current_span("calling"):
            print(pool.map(work, ["map"]), pool.apply(work, ("apply",)))
            print(pool.starmap(work, [("star", "map")], chunksize=1))
            print(list(pool.imap(work, ["imap"])), list(pool.imap_unordered(work, ["any"], 2)))
            print(pool.apply_async(func=work, args=("async",)).get())
            print(executor.submit(work, "submit", other="ted").result())
            print(list(executor.map(work, ["executor"], chunksize=2)))
        print(pool.map(work, ["without"]), executor.submit(work, "without").result())
        with pool, executor:  # leaving ends the workers of the pool by SIGTERM
            pass
"""
WITHIN = ["any", "apply", "async", "executor", "imap", "map", "starmap", "submitted"]
VARIABLES = {"PYTHONWARNINGS": "ignore"}  # Python 3.12 and later warn of a fork with threads


def parents(receiver: Receiver) -> dict[str, list[str | None]]:
    """Return the names of the spans in each trace, by the name of its root."""
    names = {span.span_id: span.name for span in receiver.spans}
    found: dict[str, list[str | None]] = {}
    for span in sorted(receiver.spans, key=lambda it: it.name):
        if span.parent_span_id:
            found.setdefault(names[span.parent_span_id], []).append(span.name)
        else:
            found.setdefault(span.name, [])
    return found


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_jobs_are_in_the_trace_of_their_caller(tmp_path: Path, method: str) -> None:
    program = script(tmp_path, JOBS)
    with Receiver() as receiver:
        variables = {**VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(program, variables, arguments=[method])
    assert (done.status, done.err) == (0, "")
    assert done.out.split() == [
        *("['map']", "apply", "['star']", "['imap']", "['any']", "async", "submit"),
        *("['executor']", "['without']", "without"),
    ]
    assert parents(receiver) == {"calling": WITHIN, "creating": [], "without": []}


def test_a_worker_without_otel_agents_runs_the_job_as_before(tmp_path: Path) -> None:
    """Its program initializes the distro in the first process alone."""
    program = script(
        tmp_path,
        """
        import multiprocessing, sys

        def work(number):
            from opentelemetry import trace

            span = trace.get_current_span()
            return number, type(span).__name__, type(trace.get_tracer_provider()).__name__

        if __name__ == "__main__":
            from otel_agents.distro import initialize

            initialize()
            from opentelemetry import trace

            with trace.get_tracer("t").start_as_current_span("calling"):
                with multiprocessing.get_context("spawn").Pool(1) as pool:
                    print(*pool.map(work, [7]))
        """,
    )
    with Receiver() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(program, variables, instrument=False)
    assert (done.out, done.err) == ("(7, 'NonRecordingSpan', 'ProxyTracerProvider')\n", "")
    assert receiver.span_names == ["calling"]


@pytest.mark.parametrize(("disabled", "seen"), [("", "7"), ("multiprocessing", "0")])
def test_it_can_be_disabled_and_imports_no_pool(tmp_path: Path, disabled: str, seen: str) -> None:
    program = script(
        tmp_path,
        """
        import sys

        assert not [it for it in sys.modules if it.startswith("multiprocessing.pool")]
        import multiprocessing
        from opentelemetry import trace

        def trace_id(_):
            return trace.get_current_span().get_span_context().trace_id

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                with trace.use_span(trace.NonRecordingSpan(trace.SpanContext(7, 8, False))):
                    print(*pool.map(trace_id, [1]))
        """,
    )
    none = dict.fromkeys(
        ("OTEL_TRACES_EXPORTER", "OTEL_METRICS_EXPORTER", "OTEL_LOGS_EXPORTER"), "none"
    )
    done = instrumented(program, {**none, DISABLED: disabled})
    assert (done.out, done.err) == (f"{seen}\n", "")


@pytest.fixture
def carried() -> Iterator[Callable[[], None]]:
    undo = carry_context_into_processes()
    yield undo
    undo()


def current_user(_: object = None) -> object:
    return get_value("who")


def test_a_pool_of_threads_carries_everything(carried: Callable[[], None]) -> None:
    with ThreadPool(1) as pool:
        token = attach(set_value("who", "Ada"))
        before = get_current()
        first = [*pool.map(current_user, [1]), pool.apply(current_user)]
        lazily = list(pool.imap(current_user, [1]))
        assert get_current() is before
        detach(token)
        assert (first, lazily, pool.apply(current_user)) == (["Ada", "Ada"], ["Ada"], None)


METHODS: list[tuple[type[Any], str]] = [
    (Pool, "apply_async"),
    (Pool, "imap"),
    (Pool, "imap_unordered"),
    (ProcessPoolExecutor, "submit"),
]


@pytest.mark.parametrize(("owner", "name"), METHODS)
def test_the_methods_pickle_and_inspect_as_before_and_come_back(
    owner: type[Any], name: str
) -> None:
    original = getattr(owner, name)
    undo = carry_context_into_processes()
    replaced = getattr(owner, name)
    assert replaced is not original
    assert pickle.loads(pickle.dumps(replaced)) is replaced
    assert inspect.signature(replaced) == inspect.signature(original)
    undo()
    assert getattr(owner, name) is original


def test_a_call_without_a_function_fails_as_before(carried: Callable[[], None]) -> None:
    with ThreadPool(1) as pool:
        apply: Any = pool.apply_async
        with pytest.raises(TypeError, match="missing 1 required positional argument: 'func'"):
            apply()
