"""A child that is forked while another thread of its parent holds a lock goes on all the same."""

from __future__ import annotations

from pathlib import Path

from instrumented import instrumented, script
from otlp_receiver import Receiver

PROGRAM = """
    import gc, os, signal, threading
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger
    from otel_agents.distro.ending import inherited, lifecycle

    KINDS = type(threading.Lock()), type(threading.RLock())
    OURS, ours = "otel_agents.distro", lifecycle.current()
    counter = metrics.get_meter("m").create_counter("counted")

    def work(name):
        trace.get_tracer("t").start_span(name).end()
        get_logger("l").emit(LogRecord(body=name))
        counter.add(1)
        assert ours.flush(20)

    def locks():
        found = [it for it in gc.get_objects() if str(type(it).__module__).startswith(OURS)]
        for one in [*found, *inherited._behind(ours._providers)]:
            for name, value in list(getattr(one, "__dict__", {}).items()):
                if isinstance(value, threading.Event):
                    value = value._cond._lock
                if isinstance(value, KINDS):
                    yield f"{type(one).__name__}.{name}", value

    def goes_on(lock):
        held, enough = threading.Event(), threading.Event()

        def hold():
            with lock:
                held.set()
                enough.wait()

        holder = threading.Thread(target=hold)
        holder.start()
        held.wait()
        child = os.fork()
        if not child:
            signal.alarm(30)
            work("child")
            ours.shutdown()
            os._exit(0)
        status = os.waitpid(child, 0)[1]
        enough.set()
        holder.join()
        return status == 0

    work("parent")
    names = []
    for name, lock in list(locks()):
        names.append(name)
        if not goes_on(lock):
            print(name, "was inherited locked")
    print(len(names), {name.partition(".")[0] for name in names} >= {
        "Delivery", "Place", "Lifecycle", "DefaultAction", "PeriodicExportingMetricReader"
    }, flush=True)
"""


def test_no_lock_is_inherited_locked(tmp_path: Path) -> None:
    with Receiver() as receiver:
        variables = {"PYTHONWARNINGS": "ignore", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(script(tmp_path, PROGRAM), variables)
    assert (done.status, done.err) == (0, "")
    *locked, last = done.out.splitlines()
    number, complete = last.split()
    assert (locked, complete) == ([], "True")
    assert receiver.span_names == ["child"] * int(number) + ["parent"]
