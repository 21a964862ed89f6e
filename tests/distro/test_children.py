"""Child processes: each delivers its own spans, however it starts and ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from faults import measured
from instrumented import instrumented, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

VARIABLES = {"PYTHONWARNINGS": "ignore"}  # Python 3.12 and later warn of a fork with threads
MULTIPROCESSING = """
    import multiprocessing, sys
    from concurrent.futures import ProcessPoolExecutor
    from opentelemetry import trace
    from otel_agents.distro import initialize

    initialize()  # old versions of opentelemetry-instrument do not reach spawned children

    def work(name):
        trace.get_tracer("t").start_span(name).end()

    if __name__ == "__main__":
        context = multiprocessing.get_context(METHOD)
        work("parent")
        process = context.Process(target=work, args=("process",))
        process.start()
        process.join()
        with context.Pool(1) as pool:  # ends its workers by SIGTERM
            pool.map(work, ["pool"])
        with ProcessPoolExecutor(1, context) as executor:
            executor.submit(work, "executor").result()
        print(process.exitcode, flush=True)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_multiprocessing_children_deliver_without_exit_handlers(
    tmp_path: Path, method: str
) -> None:
    program = script(tmp_path, MULTIPROCESSING.replace("METHOD", repr(method)))
    with Receiver() as receiver:
        done = instrumented(
            program, {**VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        )
    assert (done.status, done.out, done.err) == (0, "0\n", "")
    assert receiver.span_names == ["executor", "parent", "pool", "process"]
    assert {resource["service.name"] for resource in receiver.resources} == {"program"}
    measured("multiprocessing", sent=4, arrived=receiver.unique_spans)


FORKING = """
    import os, sys
    from opentelemetry import metrics, trace
    from opentelemetry._logs import LogRecord, get_logger

    tracer = trace.get_tracer("t")
    counter = metrics.get_meter("t").create_counter("counted")

    def in_a_child(work):
        child = os.fork()
        if not child:
            try:
                work()
            finally:
                os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
"""
NOTHING_SENT = {**VARIABLES, "OTEL_BSP_SCHEDULE_DELAY": "3600000"}


def test_a_child_delivers_before_os_exit(tmp_path: Path) -> None:
    """Each delivers its own spans, including open ones, and so does a grandchild."""
    program = script(
        tmp_path,
        FORKING
        + """
    def work():
        tracer.start_span("child").end()
        globals()["kept"] = tracer.start_span("open in the child")
        in_a_child(lambda: tracer.start_span("grandchild").end())

    def measure():
        counter.add(1)

    tracer.start_span("parent").end()
    counter.add(1)
    for job in (work, measure, lambda: get_logger("l").emit(LogRecord(body="said"))):
        in_a_child(job)
    """,
    )
    with Receiver() as receiver:
        done = instrumented(
            program, {**NOTHING_SENT, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        )
    assert (done.status, done.out, done.err) == (0, "", "")
    assert receiver.span_names == ["child", "grandchild", "open in the child", "parent"]
    assert sorted(receiver.totals("counted").values()) == [1, 1]
    assert receiver.log_bodies == ["said"]


RAISING = """
    import os, signal
    from opentelemetry import trace

    tracer = trace.get_tracer("t")
    child = os.fork()
    if not child:
        tracer.start_span("child").end()
        signal.signal(signal.SIGTERM, lambda *_: None)
        signal.raise_signal(signal.SIGTERM)  # handled: it goes on
        tracer.start_span("after it").end()
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        signal.raise_signal(signal.SIGTERM)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_child_delivers_before_it_raises_a_signal_to_end(tmp_path: Path) -> None:
    with Receiver() as receiver:
        done = instrumented(
            script(tmp_path, RAISING),
            {**NOTHING_SENT, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint},
        )
    assert (done.status, done.out, done.err) == (0, f"{-signal.SIGTERM}\n", "")
    assert receiver.span_names == ["after it", "child"]


def test_a_child_that_recorded_nothing_ends_at_once(tmp_path: Path) -> None:
    """Daemonizing programs and failed execs import no exporter."""
    program = script(
        tmp_path,
        FORKING
        + """
    from otel_agents.distro.ending.lifecycle import Lifecycle

    Lifecycle.shutdown = lambda *_: print("shut down", flush=True)
    tracer.start_span("parent").end()
    kept = tracer.start_span("open in the parent")
    counter.add(1)
    in_a_child(lambda: None)
    in_a_child(lambda: os.execv("/nowhere", ["nothing"]))
    print(os._exit.__name__, "wrapped" if hasattr(os._exit, "__wrapped__") else "as it was")
    """,
    )
    done = instrumented(program, {**NOTHING_SENT, "OTEL_TRACES_EXPORTER": "otlp"})
    assert (done.status, done.out.splitlines()[0]) == (0, "_exit as it was")
    assert "shut down" not in done.out.splitlines()[0]


def test_os_exit_ends_a_child_whatever_the_delivery_does(tmp_path: Path) -> None:
    """A lock that its thread holds, a handler that raises, a Collector that never responds."""
    program = script(
        tmp_path,
        FORKING
        + """
    import logging, pickle, signal
    from otel_agents.distro.ending import lifecycle

    def stop(*_):
        raise SystemExit(9)

    def with_lock():
        tracer.start_span("locked").end()
        signal.signal(signal.SIGALRM, stop)
        signal.setitimer(signal.ITIMER_REAL, 0.2)
        assert pickle.loads(pickle.dumps(os._exit)) is os._exit
        with lifecycle.current()._providers[1]._measurement_consumer._lock:
            os._exit(3)

    def wrongly():
        tracer.start_span("called wrongly").end()
        try:
            os._exit("no number")
        except TypeError:
            print("it goes on", flush=True)

    in_a_child(with_lock)
    in_a_child(wrongly)
    """,
    )
    with Receiver(hang=True) as receiver:
        variables = {**NOTHING_SENT, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(program, {**variables, "OTEL_AGENTS_EXIT_TIMEOUT": "0.5"})
    assert (done.status, done.out) == (0, "it goes on\n"), done.err


def test_a_child_that_initializes_itself_delivers_too(tmp_path: Path) -> None:
    """As in a hook that a library calls in its workers; we were not there at the fork."""
    program = script(
        tmp_path,
        """
        import os

        child = os.fork()
        if not child:
            from otel_agents.distro import initialize

            initialize()
            from opentelemetry import trace

            trace.get_tracer("t").start_span("child").end()
            os._exit(3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        """,
    )
    with Receiver() as receiver:
        variables = {**NOTHING_SENT, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(program, variables, instrument=False)
    assert (done.status, done.err, receiver.span_names) == (0, "", ["child"])


def test_a_forked_child_ends_its_own_spans_and_not_its_parents(tmp_path: Path) -> None:
    """It is terminated in C code while a span of its parent is open."""
    program = script(
        tmp_path,
        """
        import hashlib, os, signal, threading, time
        from opentelemetry import trace

        def when_busy(clock):
            start = time.clock_gettime(clock)
            while time.clock_gettime(clock) < start + 0.05:
                time.sleep(0.001)
            os.write(writing, b"!")

        tracer = trace.get_tracer("t")
        tracer.start_span("before").end()
        parents = tracer.start_span("of the parent")
        reading, writing = os.pipe()
        child = os.fork()
        if not child:
            tracer.start_span("finished in the child").end()
            open_span = tracer.start_span("open in the child")
            clock = time.pthread_getcpuclockid(threading.get_ident())
            threading.Thread(target=when_busy, args=(clock,), daemon=True).start()
            hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)
        os.read(reading, 1)
        os.kill(child, signal.SIGTERM)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
        parents.end()
        """,
    )
    with Receiver() as receiver:
        done = instrumented(
            program, {**VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        )
    assert (done.status, done.out, done.err) == (0, f"{128 + signal.SIGTERM}\n", "")
    assert [(span.name, span.status.code) for span in receiver.spans] == [
        ("finished in the child", 0),
        ("open in the child", 2),
        ("before", 0),
        ("of the parent", 0),
    ]
    measured("fork", sent=4, arrived=receiver.unique_spans)


def test_a_token_is_counted_once_though_a_child_inherits_sums(
    tmp_path: Path,
) -> None:
    """In both generations of metrics: the SDK's sums and ours."""
    program = script(
        tmp_path,
        """
        import os
        from openai import OpenAI

        def ask():
            message = {"role": "user", "content": "Hi"}
            with OpenAI() as client:
                client.chat.completions.create(model="m", messages=[message])

        ask()
        if os.fork() == 0:
            ask()
        else:
            assert os.wait()[1] == 0
            ask()
        """,
    )
    with Receiver() as receiver, ScriptedModel() as model:
        variables = {
            **VARIABLES,
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_AGENTS_METRICS": "both",
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
        }
        done = instrumented(program, variables, installed=True)
        billed = model.ledger.input_tokens
    assert done.status == 0, done.err
    assert sum(receiver.totals("gen_ai.client.token.usage", "input").values()) == billed
    totals = receiver.totals("gen_ai.client.inference.usage.input_tokens")
    assert (len(totals), sum(totals.values())) == (2, billed)
