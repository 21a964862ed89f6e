"""With greenlets as threads nothing hangs or waits for otel-agents, and everything arrives."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from http.client import HTTPConnection
from pathlib import Path

import pytest
from greens import (
    EVENTLET,
    GEVENT,
    LIMIT,
    PATCHED_FIRST,
    Greenlets,
    ended,
    module,
    openai_variables,
    running_program,
    terminated,
)
from instrumented import instrumented, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

SOON = float(LIMIT) / 2
FLUSH = 2.0
"""The limit of each of three flushes, in seconds."""
CALLS = """
from openai import OpenAI

def ask(number):
    answer = OpenAI(max_retries=0).chat.completions.create(
        model=f"m{number}", messages=[{"role": "user", "content": "hello"}]
    )
    print(answer.choices[0].message.content)

wait([spawn(ask, number) for number in range(3)])
"""
"""Each greenlet starts programs, such as ``uname`` for a header of the SDK."""
WORK = """
import hashlib, os, posix, time
from opentelemetry import metrics, trace
from opentelemetry._logs import get_logger_provider

providers = trace.get_tracer_provider(), metrics.get_meter_provider(), get_logger_provider()
counter = metrics.get_meter("t").create_counter("counted")

def work(name, seconds=0.01):
    with trace.get_tracer("t").start_as_current_span(name):
        counter.add(1)
        sleep(seconds)
"""
OPEN = """
wait([spawn(work, "one"), spawn(work, "two")])
spawn(work, "open", 600)
sleep(0.05)
print("ready", flush=True)
"""
ENDS = {
    "waiting": "sleep(600)",
    "busy": "while True: pass",
    "in C": 'hashlib.pbkdf2_hmac("sha256", b"", b"", 2_000_000_000)',
    "blocked": "posix.read(os.pipe()[0], 1)",
}
"""The state of the thread of all greenlets at SIGTERM."""
FLUSHING = """
ticks = []

def tick():
    while True:
        ticks.append(time.monotonic())
        sleep(0.005)

work("first")
providers[0].force_flush(500)  # which imports the exporter, and computes meanwhile
spawn(tick)
for provider in providers:
    provider.force_flush(2000)
print(max(later - tick for tick, later in zip(ticks, ticks[1:])), flush=True)
os._exit(0)
"""
FORKING = """
turns, over = 0, False

def turn():
    global turns
    while not over:
        turns += 1
        sleep(0)

def fork():
    before = turns
    child = os.fork()
    if child:
        assert os.waitpid(child, 0)[1] == 0
        return
    print(turns - before, flush=True)  # turns of a greenlet that only the parent runs
    work("child", 0)
    for provider in providers:
        provider.force_flush()
    os._exit(0)

spawn(turn)
sleep(0.01)
wait([spawn(fork)])
over = True
work("parent")
"""
STREAMS = """
from openai import OpenAI

def read(end):
    messages = [{"role": "user", "content": "one two three"}]
    stream = OpenAI().chat.completions.create(model=end, messages=messages, stream=True)
    next(stream)
    if end == "closed":
        stream.close()

wait([spawn(read, "closed"), spawn(read, "dropped")])
"""
APPLICATION = """
    from openai import OpenAI

    def ask(environ, start_response):
        with OpenAI(max_retries=0) as client:
            messages = [{"role": "user", "content": "hello"}]
            client.chat.completions.create(model=environ["PATH_INFO"][1:], messages=messages)
        start_response("204 No Content", [])
        return []
"""
CONFIGURATION = """
    workers, worker_class = 2, "gevent"

    def post_worker_init(worker):
        print("ready", flush=True)
"""
TASKS = """
    import os
    from celery import Celery, signals
    from openai import OpenAI

    folder = os.environ["FOLDER"]
    app = Celery("tasks", broker="filesystem://", backend=f"file://{folder}")
    app.conf.broker_transport_options = {
        "data_folder_in": folder, "data_folder_out": folder, "control_folder": folder
    }
    app.conf.broker_connection_retry_on_startup = True

    @app.task
    def ask(model):
        messages = [{"role": "user", "content": "hello"}]
        OpenAI(max_retries=0).chat.completions.create(model=model, messages=messages)

    @signals.worker_ready.connect
    def ready(**_):
        os.write(1, b"ready\\n")  # celery turns printed text into log lines
"""
SEND = """
    import tasks

    for result in [tasks.ask.delay(f"m{number}") for number in range(4)]:
        result.get(timeout=50)
"""
BOTH = pytest.mark.parametrize("greenlets", [GEVENT, EVENTLET], ids=["gevent", "eventlet"])
EACH = pytest.mark.parametrize(
    ("greenlets", "given"),
    [(GEVENT, {}), (GEVENT, PATCHED_FIRST), (EVENTLET, {})],
    ids=["gevent", "gevent first", "eventlet"],
)


@pytest.mark.parametrize("signals", ["true", "false"])
@EACH
def test_calls_of_greenlets_are_recorded(
    tmp_path: Path, greenlets: Greenlets, given: Mapping[str, str], signals: str
) -> None:
    program = greenlets.script(tmp_path, CALLS)
    with Receiver() as receiver, ScriptedModel() as model:
        variables = {**given, **openai_variables(model), "OTEL_AGENTS_SIGNALS": signals}
        done = ended(program, receiver, variables)
        billed = model.ledger.input_tokens
    assert (done.status, len(done.out.splitlines()), greenlets.errors(done)) == (0, 3, "")
    assert receiver.span_names == ["chat m0", "chat m1", "chat m2"]
    assert sum(receiver.totals("gen_ai.client.token.usage", "input").values()) == billed


@pytest.mark.parametrize("end", ENDS)
@EACH
def test_sigterm_terminates_whatever_the_main_thread_does(
    tmp_path: Path, greenlets: Greenlets, given: Mapping[str, str], end: str
) -> None:
    program = greenlets.script(tmp_path, WORK + OPEN + ENDS[end])
    with Receiver() as receiver, running_program(program, receiver, given) as process:
        assert line(process) == "ready\n"
        done = terminated(process)
    assert done.status in (-signal.SIGTERM, 128 + signal.SIGTERM)
    assert done.seconds < SOON
    assert greenlets.errors(done) == ""
    assert receiver.span_names == ["one", "open", "two"]
    assert sum(receiver.totals("counted").values()) == 3


@BOTH
def test_a_program_may_initialize_after_monkey_patching(
    tmp_path: Path, greenlets: Greenlets
) -> None:
    """`threading` may not know the main thread, which alone can have handlers."""
    begin = "from otel_agents.distro import initialize\ninitialize()\n"
    program = greenlets.script(tmp_path, begin + WORK + OPEN + ENDS["waiting"])
    with (
        Receiver() as receiver,
        running_program(program, receiver, {}, instrument=False) as process,
    ):
        assert line(process) == "ready\n"
        done = terminated(process)
    assert (done.status, greenlets.errors(done)) == (-signal.SIGTERM, "")
    assert receiver.span_names == ["one", "open", "two"]
    assert sum(receiver.totals("counted").values()) == 3


@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
@EACH
def test_no_greenlet_waits_for_an_unresponsive_collector(
    tmp_path: Path, greenlets: Greenlets, given: Mapping[str, str], protocol: str
) -> None:
    """Not during a flush, and not with gRPC, which waits in C."""
    program = greenlets.script(tmp_path, WORK + FLUSHING)
    with socket.create_server(("127.0.0.1", 0)) as silent, Receiver() as receiver:
        endpoint = f"http://127.0.0.1:{silent.getsockname()[1]}"
        addressed = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": endpoint,
            "OTEL_EXPORTER_OTLP_PROTOCOL": protocol,
        }
        done = ended(program, receiver, {**given, **addressed})
    assert done.status == 0, done.err
    assert float(done.out) < FLUSH / 2


@EACH
def test_no_other_greenlet_goes_on_in_a_forked_child(
    tmp_path: Path, greenlets: Greenlets, given: Mapping[str, str]
) -> None:
    program = greenlets.script(tmp_path, WORK + FORKING)
    with Receiver() as receiver:
        done = ended(program, receiver, given)
    assert (done.status, done.out, greenlets.errors(done)) == (0, "0\n", "")
    assert receiver.span_names == ["child", "parent"]
    assert sorted(receiver.totals("counted").values()) == [1, 1]


@EACH
def test_closed_and_dropped_streams_end(
    tmp_path: Path, greenlets: Greenlets, given: Mapping[str, str]
) -> None:
    program = greenlets.script(tmp_path, STREAMS)
    with Receiver() as receiver, ScriptedModel() as model:
        done = ended(program, receiver, {**given, **openai_variables(model)})
    assert (done.status, greenlets.errors(done)) == (0, "")
    assert receiver.span_names == ["chat closed", "chat dropped"]


@pytest.mark.parametrize("given", [{}, PATCHED_FIRST], ids=["later", "first"])
@pytest.mark.parametrize("preload", [(), ("--preload",)], ids=["", "preload"])
def test_gunicorn(tmp_path: Path, preload: tuple[str, ...], given: Mapping[str, str]) -> None:
    script(tmp_path, APPLICATION, "application.py")
    settings = script(tmp_path, CONFIGURATION, "settings.py")
    paths = [f"/m{number}" for number in range(6)]
    with (
        socket.create_server(("127.0.0.1", 0)) as listening,
        Receiver() as receiver,
        ScriptedModel() as model,
    ):
        number, port = listening.fileno(), listening.getsockname()[1]
        # Not --config: opentelemetry-instrument takes it for an abbreviation of its own options.
        command = ("gunicorn", "-c", str(settings), "--bind", f"fd://{number}", *preload)
        command += ("--log-level", "error", "application:ask")
        variables = {**given, **openai_variables(model), "PYTHONPATH": str(tmp_path)}
        with module(command, receiver, variables, inherit=(number,)) as process:
            assert [line(process) for _ in range(2)] == ["ready\n"] * 2
            with ThreadPoolExecutor(3) as clients:
                assert {*clients.map(partial(request, port), paths)} == {204}
            done = terminated(process)
        billed = model.ledger.input_tokens
    assert (done.status, done.err) == (0, "")
    assert receiver.span_names == [f"chat {path[1:]}" for path in paths]
    assert sum(receiver.totals("gen_ai.client.token.usage", "input").values()) == billed


@BOTH
def test_celery(tmp_path: Path, greenlets: Greenlets) -> None:
    script(tmp_path, TASKS, "tasks.py")
    pool = f"--pool={'gevent' if greenlets is GEVENT else 'eventlet'}"
    queue = tmp_path / "queue"
    queue.mkdir()
    with Receiver() as receiver, ScriptedModel() as model:
        given = {**openai_variables(model), "PYTHONPATH": str(tmp_path), "FOLDER": str(queue)}
        given["C_FORCE_ROOT"] = "true"  # no complaint about root, which a container's user may be
        command = ("celery", "-A", "tasks", "worker", pool, "--concurrency=2", "--loglevel=ERROR")
        with module((*command, "--without-gossip"), receiver, given) as process:
            assert process.stdout is not None
            assert "ready\n" in iter(process.stdout.readline, "")  # after its banner
            send = script(tmp_path, SEND, "send.py")
            sent = instrumented(send, given, instrument=False)
            assert (sent.status, sent.err) == (0, "")
            done = terminated(process)
        billed = model.ledger.input_tokens
    assert done.status == 0, done.err
    assert "otel" not in greenlets.errors(done)
    assert receiver.span_names == [f"chat m{number}" for number in range(4)]
    assert sum(receiver.totals("gen_ai.client.token.usage", "input").values()) == billed


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def request(port: int, path: str) -> int:
    connection = HTTPConnection("127.0.0.1", port, timeout=50)
    connection.request("GET", path)
    status = connection.getresponse().status
    connection.close()
    return status


LOCKS = """
from opentelemetry import metrics

storages = metrics.get_meter_provider()._measurement_consumer._reader_storages
for one in (*storages, *storages.values()):
    print(type(one).__name__, sorted(n for n, v in vars(one).items() if type(v).__name__ == "_RLock"))
"""


@BOTH
def test_the_sdk_keeps_the_systems_locks_where_we_collect(
    tmp_path: Path, greenlets: Greenlets
) -> None:
    """eventlet replaces them with greenlet locks, on which a thread and a greenlet deadlock."""
    with Receiver() as receiver:
        done = ended(greenlets.script(tmp_path, LOCKS), receiver)
    assert (done.status, greenlets.errors(done)) == (0, "")
    assert done.out == "DeliveringMetricReader []\nMetricReaderStorage []\n"
