"""SIGTERM and SIGINT: finished and open spans arrive, and the process ends as it would have."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from faults import measured
from instrumented import script
from otlp_receiver import Receiver, free_port
from signalled import ENDED, IN_C, OPEN, ended, line, program, run

SENT = "trace.get_tracer_provider().force_flush(30000)\n"
"""All our threads are started, and the exporter is imported."""
IN_RE = """
import re
signal.signal(signal.SIGVTALRM, lambda *_: ready())
signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
re.match("(a|a)*b", "a" * 60)
"""
"""It checks for signals, though."""
STATES = {
    "sleep": "ready(); time.sleep(60)",
    "read": "ready(); sys.stdin.read()",
    "C code that does not check for signals": IN_C,
    "C code that lets no other thread run": SENT + IN_RE,  # the handler lets them, for 0.5 s
    "loop": "ready()\nwhile True: pass",
    "asyncio": """
async def main():
    ready()
    await asyncio.sleep(60)
asyncio.run(main())""",
    "lock of the queue": """
from otel_agents.distro.ending import lifecycle
with lifecycle.current().pipeline.deliveries["traces"][0]._lock:
    ready()
    while lifecycle.current()._action._requested is None: pass
time.sleep(60)""",
}
STATUS = {"C code that does not check for signals": 128 + signal.SIGTERM}
"""Where not even the last handler can run; a shell shows the same status for both."""
LIMIT = 9.0
"""Seconds until a SIGTERM has ended a process: two on an idle machine, ten without a deadline."""
DEFAULT = {"OTEL_AGENTS_SIGNAL_TIMEOUT": ""}
"""The exit timeout is far longer."""


@pytest.mark.parametrize("state", STATES)
def test_sigterm_delivers_finished_and_open_spans_in_every_state(
    tmp_path: Path, state: str
) -> None:
    path = program(tmp_path, STATES[state])
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (STATUS.get(state, -signal.SIGTERM), "", "")
    spans = {span.name: span for span in receiver.spans}
    undisturbed: tuple[int, dict[str, str]] = (0, {})
    interrupted = (2, {"error.type": "interrupted"})
    assert {name: outcome(span) for name, span in spans.items()} == {
        **dict.fromkeys(ENDED, undisturbed),
        **dict.fromkeys(OPEN, interrupted),
    }
    assert spans["inner"].end_time_unix_nano <= spans["outer"].end_time_unix_nano
    measured("sigterm", sent=5, arrived=receiver.unique_spans)


def terminated(process: subprocess.Popen[str]) -> int:
    """Return the status after a SIGTERM that ended the process in time, without reading its output."""
    began = time.monotonic()
    process.terminate()
    status = process.wait(30)
    assert time.monotonic() - began < LIMIT
    return status


def outcome(span: Any) -> tuple[int, dict[str, str]]:
    return span.status.code, {pair.key: pair.value.string_value for pair in span.attributes}


def test_sigint_unwinds_the_program_and_loses_nothing(tmp_path: Path) -> None:
    end = """
signal.signal(signal.SIGINT, signal.default_int_handler)  # it is ignored if the suite is a background job
with trace.use_span(inner, True), trace.use_span(outer, True):
    ready()
    while True:  # a signal just before a sleep does not end it
        time.sleep(0.05)
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.send_signal(signal.SIGINT)
        status, out, err = ended(process)
    assert (status, out, err.splitlines()[-1]) == (-signal.SIGINT, "", "KeyboardInterrupt")
    assert receiver.span_names == ENDED + OPEN
    measured("sigint", sent=5, arrived=receiver.unique_spans)


def test_sigint_ends_the_process_after_all_exit_handlers(tmp_path: Path) -> None:
    """Handlers older than ours run, printed text is flushed, and the status is the signal's."""
    text = """
    import atexit, signal, sys, time
    atexit.register(lambda: print("the oldest handler"))
    from otel_agents.distro import initialize

    initialize()
    from opentelemetry import trace

    signal.signal(signal.SIGINT, signal.default_int_handler)
    trace.get_tracer("t").start_span("work").end()
    atexit.register(lambda: print("the newest handler"))
    print("ready", flush=True)
    while True:  # a signal just before a sleep does not end it
        time.sleep(0.05)
    """
    with (
        Receiver() as receiver,
        run(script(tmp_path, text), receiver.endpoint, instrument=False) as process,
    ):
        process.send_signal(signal.SIGINT)
        status, out, _ = ended(process)
    assert (status, out) == (-signal.SIGINT, "the newest handler\nthe oldest handler\n")
    assert receiver.span_names == ["work"]


OPERATIONS = """
    import time
    from otel_agents.instrumentors._core.operations import Inference, InvokeAgent
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
    from otel_agents.semconv.values import Operation

    telemetry = Telemetry("t")
    agent = InvokeAgent(telemetry, "planner")
    call = Inference(telemetry, Operation.CHAT, "openai", "m", None, parent=agent.context)
    call.input_tokens = 7
    print("ready", flush=True)
    time.sleep(60)
"""
MEASURED = {
    "gen_ai.client.operation.duration",
    "gen_ai.client.token.usage",
    "gen_ai.invoke_agent.duration",
}


@pytest.mark.parametrize("sampled", [True, False])
def test_operations_end_with_what_they_know_and_are_measured(tmp_path: Path, sampled: bool) -> None:
    path, sampler = script(tmp_path, OPERATIONS), "always_on" if sampled else "always_off"
    with (
        Receiver() as receiver,
        run(path, receiver.endpoint, {"OTEL_TRACES_SAMPLER": sampler}) as process,
    ):
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.metric_names == MEASURED
    assert receiver.span_names == (["chat m", "invoke_agent planner"] if sampled else [])
    for span in receiver.spans:
        attributes = {pair.key: pair.value for pair in span.attributes}
        assert attributes["error.type"].string_value == "interrupted"
        assert attributes["gen_ai.usage.input_tokens"].int_value == 7


TRACES = {"OTEL_METRICS_EXPORTER": "none"}
ONE_EACH = {**TRACES, "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "1"}
"""A request per span, so that more is to be sent when the first one hangs."""


def test_a_second_signal_does_not_shorten_the_delivery(tmp_path: Path) -> None:
    path = program(tmp_path, STATES["sleep"])
    with Receiver(hang=True) as receiver, run(path, receiver.endpoint, ONE_EACH) as process:
        process.terminate()
        assert receiver.first_request.wait(30)
        process.terminate()
        receiver.release()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_a_signal_during_the_delivery_at_exit_waits_for_it(tmp_path: Path) -> None:
    path = program(tmp_path, "ready()")
    with Receiver(hang=True) as receiver, run(path, receiver.endpoint, TRACES) as process:
        assert receiver.first_request.wait(30)
        process.terminate()
        receiver.release()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_a_program_that_goes_on_meanwhile_still_ends_by_the_signal(tmp_path: Path) -> None:
    """And the SDK logs nothing about its calls on spans that were ended for it."""
    end = """
ready()
sys.stdin.readline()
inner.set_attribute("late", 1)
inner.end()
outer.end()
print("done", flush=True)
"""
    path = program(tmp_path, end)
    with (
        Receiver(hang=True) as receiver,
        run(path, receiver.endpoint, TRACES) as process,
    ):
        process.terminate()
        assert receiver.first_request.wait(30)
        assert process.stdin is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
        assert line(process) == "done\n"
        receiver.release()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_a_refused_connection_does_not_delay_the_end(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    with run(program(tmp_path, STATES["sleep"]), endpoint, {**TRACES, **DEFAULT}) as process:
        assert terminated(process) == -signal.SIGTERM
        _, _, err = ended(process)
    lines = [part.partition(" (")[0] for part in err.splitlines()]
    assert lines == [f"otel-agents: could not deliver to {endpoint}"]


@pytest.mark.parametrize("state", STATES)
def test_a_hanging_receiver_does_not_delay_the_end(tmp_path: Path, state: str) -> None:
    path = program(tmp_path, STATES[state])
    with Receiver(hang=True) as receiver, run(path, receiver.endpoint, DEFAULT) as process:
        assert terminated(process) == STATUS.get(state, -signal.SIGTERM)


FOREIGN = """
from opentelemetry.sdk.trace import SpanProcessor

class Hanging(SpanProcessor):
    def shutdown(self):
        sys.stdin.read()

def hang(options):
    sys.stdin.read()

trace.get_tracer_provider().add_span_processor(Hanging())
from opentelemetry import metrics
metrics.get_meter("m").create_observable_gauge("g", [hang])
ready()
time.sleep(60)
"""


def test_hanging_third_party_code_does_not_delay_the_end(
    tmp_path: Path,
) -> None:
    with (
        Receiver() as receiver,
        run(program(tmp_path, SENT + FOREIGN), receiver.endpoint, DEFAULT) as process,
    ):
        assert terminated(process) == -signal.SIGTERM
    assert receiver.span_names == ENDED + OPEN


HANGING_AT_END = """
from opentelemetry.sdk.trace import SpanProcessor

class Hanging(SpanProcessor):
    def on_end(self, span):
        sys.stdin.read()

trace.get_tracer_provider().add_span_processor(Hanging())
"""


def test_a_hanging_on_end_does_not_delay_the_end(tmp_path: Path) -> None:
    path = program(tmp_path, HANGING_AT_END + IN_C)
    with Receiver() as receiver, run(path, receiver.endpoint, DEFAULT) as process:
        assert terminated(process) == 128 + signal.SIGTERM


def test_a_program_without_spans_ends_as_soon(tmp_path: Path) -> None:
    begin = """
    import signal, sys, time

    def ready():
        print("ready", flush=True)
    """
    path = program(tmp_path, IN_C, begin)
    with Receiver() as receiver, run(path, receiver.endpoint, DEFAULT) as process:
        assert terminated(process) == 128 + signal.SIGTERM


def test_a_signal_during_exit_handlers_terminates(tmp_path: Path) -> None:
    """Since Python 3.12 no thread can be started then."""
    end = """
import atexit
atexit.register(lambda: (ready(), sys.stdin.readline()))
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        assert terminated(process) == -signal.SIGTERM
    assert receiver.span_names == ENDED + OPEN


def test_pid_1_of_a_container_delivers_and_goes_on(
    tmp_path: Path,
) -> None:
    """The kernel ignores default actions there, so it goes on until SIGKILL."""
    end = """
from otel_agents.distro.ending import lifecycle
lifecycle.current()._action.unkillable = True
ready()
sys.stdin.readline()
tracer.start_span("later").end()
"""
    path = program(tmp_path, end)
    with (
        Receiver(hang=True) as receiver,
        run(path, receiver.endpoint, TRACES) as process,
    ):
        process.terminate()
        assert receiver.first_request.wait(30)
        receiver.release()
        assert ended(process, "go on\n") == (0, "", "")
    assert receiver.span_names == sorted([*ENDED, *OPEN, "later"])


BLOCKED = "signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])\n"
ONLY_HERE = {
    "unblocked": """
ready()
sys.stdin.readline()
print("done", flush=True)
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGTERM])
""",
    "waited for": """
import threading

def wait():
    signal.sigwait([signal.SIGTERM])
    print("done", flush=True)

threading.Thread(target=wait).start()
ready()
""",
}


@pytest.mark.parametrize("then", ONLY_HERE)
@pytest.mark.parametrize("protocol", ["http/protobuf", "grpc"])
def test_a_blocked_signal_is_not_delivered_to_our_threads(
    tmp_path: Path, then: str, protocol: str
) -> None:
    """The program finishes its work, or waits for the signal itself."""
    path = program(tmp_path, SENT + BLOCKED + ONLY_HERE[then])
    with Receiver() as receiver, run(path, receiver.endpoint, {PROTOCOL: protocol}) as process:
        process.terminate()
        status, out, _ = ended(process, "go on\n")
    assert (status, out) == (-signal.SIGTERM if then == "unblocked" else 0, "done\n")


PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"


CLOSED = """
import os

number = signal.set_wakeup_fd(-1)
signal.set_wakeup_fd(number, warn_on_full_buffer=False)

def is_open():
    try:
        return os.fstat(number)
    except OSError:
        return None

before = is_open()
{closing}
deadline = time.monotonic() + 30
while not (found := is_open()) or os.path.samestat(found, before):  # until it is reopened
    assert time.monotonic() < deadline
    time.sleep(0.001)
"""
BROKEN_PIPE = "BrokenPipeError: [Errno 32] Broken pipe"
CLOSING = {
    "all": "os.closerange(3, 4096)",
    "what is written to": "os.close(number)",
    "what is read": """
for one in range(3, 4096):
    try:
        if one != number and os.path.samestat(os.fstat(one), before):
            os.close(one)
    except OSError:
        pass
signal.signal(signal.SIGUSR1, lambda *_: None)
signal.raise_signal(signal.SIGUSR1)  # wake the read of what was closed
""",
}


@pytest.mark.parametrize("state", ["sleep", "C code that does not check for signals"])
@pytest.mark.parametrize("closing", CLOSING)
def test_a_program_that_closes_all_descriptors_terminates_too(
    tmp_path: Path, closing: str, state: str
) -> None:
    """As a daemonizing program does; the interpreter still writes signals to our descriptor."""
    path = program(tmp_path, CLOSED.format(closing=CLOSING[closing]) + STATES[state])
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        assert terminated(process) == STATUS.get(state, -signal.SIGTERM)
        _, out, err = ended(process)
    assert out == ""
    # If our thread was not reading at that moment, the interpreter itself reports the failed write.
    assert err == "" or (closing == "what is read" and err.endswith(f"{BROKEN_PIPE}\n"))
    assert receiver.span_names == ENDED + OPEN
