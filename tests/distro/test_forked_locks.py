"""Law 9: a forked child finds free every lock of ours, whichever thread of its parent had it."""

from __future__ import annotations

from pathlib import Path

from instrumented import instrumented, script
from otlp_receiver import Receiver

TESTS = Path(__file__).parents[1]
PROGRAM = """
    import os, signal, sys, threading
    from opentelemetry import metrics, trace

    sys.path.insert(0, TESTS)
    import process_state
    from otel_agents.instrumentors import AgentInstrumentor, Handover, InvokeAgent, Runs, Telemetry
    from otel_agents.instrumentors._core.hooks.uploading import Queue

    process_state.modules()
    telemetry = Telemetry("toy")
    runs, work, uploads = Runs("toy"), Handover(), Queue(print, 1, 1)
    runs.start(1, None, lambda parent: InvokeAgent(telemetry, "toy", parent=parent))
    runs.end(1)
    metrics.get_meter("toy").create_counter("toy").add(1)
    trace.get_tracer_provider().force_flush()

    locks = process_state.locks()
    held, ended = threading.Event(), threading.Event()

    def hold():
        taken = [getattr(owner, name) for owner, name in locks]
        taken = [lock for lock in taken if lock.acquire(timeout=5)]
        print(len(taken) == len(locks), flush=True)
        held.set()
        ended.wait(30)
        for lock in taken:
            lock.release()

    holding = threading.Thread(target=hold)
    holding.start()
    held.wait(30)
    child = os.fork()
    if not child:
        signal.alarm(20)
        for owner, name in locks:
            if not getattr(owner, name).acquire(blocking=False):
                print(f"{type(owner).__module__}.{type(owner).__qualname__}.{name}", flush=True)
        os._exit(0)
    ended.set()
    holding.join()
    print(os.waitpid(child, 0)[1], flush=True)
    print(*sorted({f"{type(owner).__qualname__}.{name}" for owner, name in locks}))
"""


def test_a_forked_child_finds_every_lock_free(tmp_path: Path) -> None:
    program = script(tmp_path, PROGRAM.replace("TESTS", repr(str(TESTS))))
    with Receiver() as receiver:
        variables = {
            "PYTHONWARNINGS": "ignore",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_AGENTS_METRICS": "both",
        }
        done = instrumented(program, variables)
    taken, *left, status, found = done.out.splitlines()
    assert (taken, left, status, done.err) == ("True", [], "0", "")
    expected = {"Lock._lock", "Counts._lock", "Queue._changed", "Delivery._lock", "Place._lock"}
    assert expected | {"Lifecycle._ending"} <= {*found.split()}
