"""Child processes: each delivers its own spans, however it was made and however it ends."""

from __future__ import annotations

import signal
from pathlib import Path

import pytest
from faults import measured
from instrumented import instrumented, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

VARIABLES = {"PYTHONWARNINGS": "ignore"}  # of fork beside threads, from Python 3.12 on
MULTIPROCESSING = """
    import multiprocessing, sys
    from concurrent.futures import ProcessPoolExecutor
    from opentelemetry import trace
    from otel_agents.distro import initialize

    initialize()  # for what opentelemetry-instrument of old does not reach: children that are started

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
def test_children_of_multiprocessing_deliver_though_they_run_no_exit_handlers(
    tmp_path: Path, method: str
) -> None:
    program = script(tmp_path, MULTIPROCESSING.replace("METHOD", repr(method)))
    with Receiver() as receiver:
        done = instrumented(
            program, {**VARIABLES, "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        )
    assert (done.status, done.out, done.err) == (0, "0\n", "")
    assert receiver.span_names == ["executor", "parent", "pool", "process"]
    measured("multiprocessing", sent=4, arrived=receiver.unique_spans)


def test_a_forked_child_ends_what_it_began_and_nothing_of_its_parent(tmp_path: Path) -> None:
    """It is told to end by SIGTERM, in C code, while a span of its parent is open."""
    program = script(
        tmp_path,
        """
        import hashlib, os, signal, threading, time
        from opentelemetry import trace

        def when_busy(clock):
            begun = time.clock_gettime(clock)
            while time.clock_gettime(clock) < begun + 0.05:
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


def test_a_token_is_counted_once_though_a_child_begins_with_its_parents_sums(
    tmp_path: Path,
) -> None:
    """Both generations: sums of the SDK's, and ours."""
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
    told = receiver.totals("gen_ai.client.inference.usage.input_tokens")
    assert (len(told), sum(told.values())) == (2, billed)
