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

IN_RE = """
import re
signal.signal(signal.SIGVTALRM, lambda *_: ready())
signal.setitimer(signal.ITIMER_VIRTUAL, 0.05)
re.match("(a|a)*b", "a" * 60)
"""
"""It looks for signals all the same."""
PLACES = {
    "sleep": "ready(); time.sleep(60)",
    "read": "ready(); sys.stdin.read()",
    "C code that looks for no signals": IN_C,
    "C code that lets no other thread run": IN_RE,
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
    while lifecycle.current()._action._asked is None: pass
time.sleep(60)""",
}
STATUS = {"C code that looks for no signals": 128 + signal.SIGTERM}
"""Where not even the last handler can run; a shell shows the same for either."""
BOUND = 2.0
MARGIN = 4.0  # a busy machine
DEFAULT = {"OTEL_AGENTS_SIGNAL_TIMEOUT": ""}
"""The time-out of the exit is far longer."""


@pytest.mark.parametrize("place", PLACES)
def test_sigterm_finished_and_open_spans_arrive_wherever_the_program_is(
    tmp_path: Path, place: str
) -> None:
    path = program(tmp_path, PLACES[place])
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (STATUS.get(place, -signal.SIGTERM), "", "")
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
    """The status after a SIGTERM, which has ended it in time; nobody reads or writes meanwhile."""
    began = time.monotonic()
    process.terminate()
    status = process.wait(30)
    assert time.monotonic() - began < BOUND + MARGIN
    return status


def outcome(span: Any) -> tuple[int, dict[str, str]]:
    return span.status.code, {pair.key: pair.value.string_value for pair in span.attributes}


def test_sigint_unwinds_the_program_and_loses_nothing(tmp_path: Path) -> None:
    end = """
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite is a background job
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


def test_sigint_ends_the_process_after_all_that_comes_at_its_end(tmp_path: Path) -> None:
    """Exit handlers that are older than ours, and what was printed last; the status is a signal's."""
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
"""A request per span, so that there is more to send when the first one hangs."""


def test_a_second_signal_does_not_cut_the_delivery_short(tmp_path: Path) -> None:
    path = program(tmp_path, PLACES["sleep"])
    with Receiver(hang=True) as receiver, run(path, receiver.endpoint, ONE_EACH) as process:
        process.terminate()
        assert receiver.asked.wait(30)
        process.terminate()
        receiver.release()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_a_signal_during_the_delivery_at_exit_waits_for_it(tmp_path: Path) -> None:
    path = program(tmp_path, "ready()")
    with Receiver(hang=True) as receiver, run(path, receiver.endpoint, TRACES) as process:
        assert receiver.asked.wait(30)
        process.terminate()
        receiver.release()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_a_program_that_goes_on_meanwhile_ends_by_the_signal_all_the_same(tmp_path: Path) -> None:
    """And its calls on spans that were ended for it are not commented upon."""
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
        assert receiver.asked.wait(30)
        assert process.stdin is not None
        process.stdin.write("go on\n")
        process.stdin.flush()
        assert line(process) == "done\n"
        receiver.release()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_nobody_listens_and_the_end_is_bounded(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    with run(program(tmp_path, PLACES["sleep"]), endpoint, {**TRACES, **DEFAULT}) as process:
        assert terminated(process) == -signal.SIGTERM
        _, _, err = ended(process)
    told = [part.partition(" (")[0] for part in err.splitlines()]
    assert told == [f"otel-agents: could not deliver to {endpoint}"]


@pytest.mark.parametrize("place", PLACES)
def test_a_receiver_that_hangs_does_not_make_the_end_longer(tmp_path: Path, place: str) -> None:
    path = program(tmp_path, PLACES[place])
    with Receiver(hang=True) as receiver, run(path, receiver.endpoint, DEFAULT) as process:
        assert terminated(process) == STATUS.get(place, -signal.SIGTERM)


FOREIGN = """
from opentelemetry.sdk.trace import SpanProcessor

class Stuck(SpanProcessor):
    def shutdown(self):
        sys.stdin.read()

def stuck(options):
    sys.stdin.read()

trace.get_tracer_provider().add_span_processor(Stuck())
from opentelemetry import metrics
metrics.get_meter("m").create_observable_gauge("g", [stuck])
ready()
time.sleep(60)
"""


def test_code_of_others_that_never_comes_back_does_not_make_the_end_longer(
    tmp_path: Path,
) -> None:
    with (
        Receiver() as receiver,
        run(program(tmp_path, FOREIGN), receiver.endpoint, DEFAULT) as process,
    ):
        assert terminated(process) == -signal.SIGTERM
    assert receiver.span_names == ENDED + OPEN


STUCK_AT_AN_END = """
from opentelemetry.sdk.trace import SpanProcessor

class Stuck(SpanProcessor):
    def on_end(self, span):
        sys.stdin.read()

trace.get_tracer_provider().add_span_processor(Stuck())
"""


def test_nor_does_code_of_others_that_keeps_an_open_span_from_its_end(tmp_path: Path) -> None:
    path = program(tmp_path, STUCK_AT_AN_END + IN_C)
    with Receiver() as receiver, run(path, receiver.endpoint, DEFAULT) as process:
        assert terminated(process) == 128 + signal.SIGTERM


def test_a_program_without_any_span_ends_as_soon(tmp_path: Path) -> None:
    begin = """
    import signal, sys, time

    def ready():
        print("ready", flush=True)
    """
    path = program(tmp_path, IN_C, begin)
    with Receiver() as receiver, run(path, receiver.endpoint, DEFAULT) as process:
        assert terminated(process) == 128 + signal.SIGTERM


def test_a_signal_while_exit_handlers_run_is_obeyed(tmp_path: Path) -> None:
    """From Python 3.12 on no thread can be started any more then."""
    end = """
import atexit
atexit.register(lambda: (ready(), sys.stdin.readline()))
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        assert terminated(process) == -signal.SIGTERM
    assert receiver.span_names == ENDED + OPEN


def test_the_first_process_of_a_container_which_no_signal_ends_goes_on_and_is_heard(
    tmp_path: Path,
) -> None:
    """The system ignores a default action there, so it runs on until it is killed."""
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
        assert receiver.asked.wait(30)
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
def test_a_signal_that_the_program_has_blocked_comes_to_no_thread_of_ours(
    tmp_path: Path, then: str, protocol: str
) -> None:
    """It finishes what it is doing, or waits for the signal by itself."""
    path = program(tmp_path, SENT + BLOCKED + ONLY_HERE[then])
    with Receiver() as receiver, run(path, receiver.endpoint, {PROTOCOL: protocol}) as process:
        process.terminate()
        status, out, _ = ended(process, "go on\n")
    assert (status, out) == (-signal.SIGTERM if then == "unblocked" else 0, "done\n")


PROTOCOL = "OTEL_EXPORTER_OTLP_PROTOCOL"
SENT = "trace.get_tracer_provider().force_flush(30000)\n"
"""All threads are there."""


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
given_up = time.monotonic() + 5
while not (found := is_open()) or os.path.samestat(found, before):  # until it is opened again
    assert time.monotonic() < given_up
    time.sleep(0.001)
"""
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
signal.raise_signal(signal.SIGUSR1)  # what was being read when it was closed
""",
}


@pytest.mark.parametrize("place", ["sleep", "C code that looks for no signals"])
@pytest.mark.parametrize("closing", CLOSING)
def test_a_program_that_closes_all_descriptors_ends_as_others(
    tmp_path: Path, closing: str, place: str
) -> None:
    """As one that makes itself a daemon; the interpreter goes on writing signals to ours."""
    path = program(tmp_path, CLOSED.format(closing=CLOSING[closing]) + PLACES[place])
    with Receiver() as receiver, run(path, receiver.endpoint, DEFAULT) as process:
        assert terminated(process) == STATUS.get(place, -signal.SIGTERM)
        assert ended(process)[1:] == ("", "")
    assert receiver.span_names == ENDED + OPEN
