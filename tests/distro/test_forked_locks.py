"""Law 9: a forked child works, whichever locks other threads of its parent held.

In the child each of our locks is free, and so are the locks of the SDK's metrics.
"""

from __future__ import annotations

from pathlib import Path

from instrumented import instrumented, script
from otlp_receiver import Receiver

TESTS = Path(__file__).parents[1]
PROGRAM = """
    import gc, os, signal, sys, threading
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger

    sys.path.insert(0, TESTS)
    import process_state
    from otel_agents.distro.ending import inherited, lifecycle
    from otel_agents.instrumentors import AgentInstrumentor, Handover, InvokeAgent, Runs, Telemetry
    from otel_agents.instrumentors._core.hooks.jobs import JobQueue

    process_state.modules()
    telemetry, ours = Telemetry("toy"), lifecycle.current()
    runs, handed, uploads = Runs("toy"), Handover(), JobQueue(print, 1, 1)
    runs.start(1, None, lambda parent: InvokeAgent(telemetry, "toy", parent=parent))
    runs.end(1)
    counter = metrics.get_meter("toy").create_counter("toy")

    def work(name):
        trace.get_tracer("t").start_span(name).end()
        get_logger("l").emit(LogRecord(body=name))
        counter.add(1)
        return ours.flush(20)

    def name(owner, attribute):
        return f"{type(owner).__module__}.{type(owner).__qualname__}.{attribute}"

    def others():
        mine = [it for it in gc.get_objects() if str(type(it).__module__).startswith("otel_agents")]
        for owner in [*mine, *inherited._behind(ours._providers)]:
            for attribute, value in list(getattr(owner, "__dict__", {}).items()):
                value = value._cond if isinstance(value, threading.Event) else value
                if isinstance(value, process_state.LOCKS):
                    yield name(owner, attribute), value

    assert work("parent")
    found = process_state.locks()
    locks = {id(lock): (known, lock) for known, lock in others()}
    for owner, attribute in found:
        lock = getattr(owner, attribute)
        locks[id(lock)] = name(owner, attribute), lock
    held, ended = threading.Event(), threading.Event()

    def hold():
        taken = [lock for _, lock in locks.values() if lock.acquire(timeout=20)]
        print("all taken" if len(taken) == len(locks) else "not all taken", flush=True)
        held.set()
        ended.wait(60)
        for lock in taken:
            lock.release()

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait(50)
    child = os.fork()
    if not child:
        signal.alarm(40)
        for owner, attribute in found:
            if not getattr(owner, attribute).acquire(blocking=False):
                print(name(owner, attribute), flush=True)
            else:
                getattr(owner, attribute).release()
        print("worked" if work("child") else "not all was sent", flush=True)
        ours.shutdown()
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    ended.set()
    holding.join()
    print(status, flush=True)
    print(*sorted({known.removeprefix("otel_agents.") for known, _ in locks.values()}))
"""
HELD = {
    "distro.ending.lifecycle.Lifecycle._ending",
    "distro.export.delivery.Delivery._lock",
    "distro.export.status.EndpointStatus._lock",
    "instrumentors._core.forking.Lock._lock",
    "instrumentors._core.hooks.jobs.JobQueue._counting",
    "instrumentors._core.tables.Counts._lock",
    "distro.export.reader.DeliveringMetricReader._export_lock",
}
"""Some of the locks that are found."""


def test_a_forked_child_goes_on_whatever_was_locked(tmp_path: Path) -> None:
    program = script(tmp_path, PROGRAM.replace("TESTS", repr(str(TESTS))))
    with Receiver() as receiver:
        variables = {
            "PYTHONWARNINGS": "ignore",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_AGENTS_METRICS": "both",
        }
        done = instrumented(program, variables)
    *lines, found = done.out.splitlines()
    assert (lines, done.err) == (["all taken", "worked", "0"], "")
    assert HELD - {*found.split()} == set()
    names = [name for name in receiver.span_names if name in ("parent", "child")]
    assert names == ["child", "parent"]
