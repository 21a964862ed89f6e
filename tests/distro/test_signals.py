"""SIGTERM and SIGINT: finished and open spans arrive, and the process ends as it would have."""

from __future__ import annotations

import signal
import subprocess
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from faults import measured
from instrumented import running, script
from otlp_receiver import Receiver, free_port

BEGIN = """
    import asyncio, signal, sys, time
    from opentelemetry import trace

    tracer = trace.get_tracer("t")
    for number in range(3):
        tracer.start_span(f"finished {number}").end()
    outer = tracer.start_span("outer")
    inner = tracer.start_span("inner", trace.set_span_in_context(outer))

    def ready():
        print("ready", flush=True)
"""
ENDED = ["finished 0", "finished 1", "finished 2"]
OPEN = ["inner", "outer"]
PLACES = {
    "sleep": "ready(); time.sleep(60)",
    "read": "ready(); sys.stdin.read()",
    "C code that looks for no signals": (
        "import hashlib; ready(); hashlib.pbkdf2_hmac('sha256', b'', b'', 2_000_000_000)"
    ),
    "loop": "ready()\nwhile True: pass",
    "asyncio": """
async def main():
    ready()
    await asyncio.sleep(60)
asyncio.run(main())""",
    "lock of the queue": """
from otel_agents.distro import lifecycle
with lifecycle.current().pipeline.deliveries["traces"][0]._lock:
    ready()
    while lifecycle.current()._action._asked is None: pass
time.sleep(60)""",
}
EXIT_TIMEOUT = 1.0
MARGIN = 4.0


def program(folder: Path, end: str, begin: str = BEGIN) -> Path:
    path = script(folder, begin)
    path.write_text(path.read_text("utf-8") + end, "utf-8")
    return path


@contextmanager
def run(
    path: Path,
    endpoint: str,
    variables: Mapping[str, str] | None = None,
    *,
    instrument: bool = True,
) -> Generator[subprocess.Popen[str], None, None]:
    """Start it and wait until it is where it says ``ready``."""
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": endpoint, **(variables or {})}
    with running(path, given, instrument=instrument) as process:
        assert line(process) == "ready\n"
        yield process


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def ended(process: subprocess.Popen[str], text: str = "") -> tuple[int, str, str]:
    """The status, what else it printed, and its errors."""
    out, err = process.communicate(text, timeout=30)
    return process.returncode, out, err


@pytest.mark.parametrize("place", PLACES)
def test_sigterm_finished_and_open_spans_arrive_wherever_the_program_is(
    tmp_path: Path, place: str
) -> None:
    path = program(tmp_path, PLACES[place])
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    spans = {span.name: span for span in receiver.spans}
    undisturbed: tuple[int, dict[str, str]] = (0, {})
    interrupted = (2, {"error.type": "interrupted"})
    assert {name: outcome(span) for name, span in spans.items()} == {
        **dict.fromkeys(ENDED, undisturbed),
        **dict.fromkeys(OPEN, interrupted),
    }
    assert spans["inner"].end_time_unix_nano <= spans["outer"].end_time_unix_nano
    measured("sigterm", sent=5, arrived=receiver.unique_spans)


def outcome(span: Any) -> tuple[int, dict[str, str]]:
    return span.status.code, {pair.key: pair.value.string_value for pair in span.attributes}


def test_sigint_unwinds_the_program_and_loses_nothing(tmp_path: Path) -> None:
    end = """
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where the suite is a background job
with trace.use_span(inner, True), trace.use_span(outer, True):
    ready()
    time.sleep(60)
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.send_signal(signal.SIGINT)
        status, out, err = ended(process)
    assert (status, out, err.splitlines()[-1]) == (-signal.SIGINT, "", "KeyboardInterrupt")
    assert receiver.span_names == ENDED + OPEN
    measured("sigint", sent=5, arrived=receiver.unique_spans)


OPERATIONS = """
    import time
    from otel_agents.instrumentors._core.operations import Inference, InvokeAgent
    from otel_agents.instrumentors._core.telemetry import Telemetry
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
    assert receiver.span_names == ENDED


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


def test_who_else_takes_the_wakeup_descriptor_finds_it_free_or_may_have_it(tmp_path: Path) -> None:
    """Trio warns its user where it is taken; asyncio takes it, and does not put it back."""
    end = """
taken = signal.set_wakeup_fd(-1)
signal.set_wakeup_fd(taken, warn_on_full_buffer=False)
import trio
assert (taken >= 0, signal.set_wakeup_fd(-1)) == (True, -1)
ready()
time.sleep(60)
"""
    path = program(tmp_path, end)
    script(tmp_path, "", "trio.py")
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_nobody_listens_and_the_end_is_bounded(tmp_path: Path) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    path, timeout = program(tmp_path, PLACES["sleep"]), str(EXIT_TIMEOUT)
    with run(
        path, endpoint, {"OTEL_AGENTS_EXIT_TIMEOUT": timeout, "OTEL_METRICS_EXPORTER": "none"}
    ) as process:
        began = time.monotonic()
        process.terminate()
        status, _, err = ended(process)
    assert status == -signal.SIGTERM
    assert time.monotonic() - began < EXIT_TIMEOUT + MARGIN
    told = [part.partition(" (")[0] for part in err.splitlines()]
    assert told == [f"otel-agents: could not deliver to {endpoint}"]


def test_a_handler_that_the_application_sets_later_wins(tmp_path: Path) -> None:
    """It is shown what it would be without us, and its ``sys.exit`` delivers; open spans are its own."""
    end = """
shown = signal.getsignal(signal.SIGTERM), signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
assert shown == (signal.SIG_DFL, signal.SIG_DFL), shown
ready()
time.sleep(60)
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (7, "", "")
    assert receiver.span_names == ENDED


def test_a_handler_may_put_the_default_back_and_raise_the_signal_again(tmp_path: Path) -> None:
    """As servers do, and loops that remove their handlers."""
    end = """
previous = signal.getsignal(signal.SIGTERM)

def stop(signum, frame):
    outer.end()
    signal.signal(signal.SIGTERM, previous)
    signal.raise_signal(signum)

signal.signal(signal.SIGTERM, stop)
ready()
time.sleep(60)
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


@pytest.mark.parametrize(
    ("before", "said"), [("signal.SIG_IGN", ""), ("lambda *_: print('own')", "own\n")]
)
def test_what_the_application_had_set_before_stays(tmp_path: Path, before: str, said: str) -> None:
    text = f"""
    import signal, sys
    signal.signal(signal.SIGTERM, {before})
    from otel_agents.distro import initialize

    initialize()
    from opentelemetry import trace

    trace.get_tracer("t").start_span("work").end()
    print("ready", flush=True)
    sys.stdin.readline()
    """
    path = script(tmp_path, text)
    with Receiver() as receiver, run(path, receiver.endpoint, instrument=False) as process:
        process.terminate()
        assert ended(process, "go on\n") == (0, said, "")
    assert receiver.span_names == ["work"]


def test_initialised_outside_the_main_thread_signals_are_left_alone(tmp_path: Path) -> None:
    text = """
    import signal, sys, threading
    from otel_agents.distro import initialize

    before = signal.signal
    thread = threading.Thread(target=initialize)
    thread.start()
    thread.join()
    from opentelemetry import trace

    trace.get_tracer("t").start_span("work").end()
    assert signal.signal is before
    print("ready", flush=True)
    """
    path = script(tmp_path, text)
    with Receiver() as receiver, run(path, receiver.endpoint, instrument=False) as process:
        assert ended(process) == (0, "", "")
    assert receiver.span_names == ["work"]


def test_a_signal_while_exit_handlers_run_is_obeyed(tmp_path: Path) -> None:
    """From Python 3.12 on no thread can be started any more then, and it waits for them."""
    end = """
import atexit
atexit.register(lambda: (ready(), sys.stdin.readline()))
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process, "go on\n") == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_the_first_process_of_a_container_which_no_signal_ends_goes_on_and_is_heard(
    tmp_path: Path,
) -> None:
    """The system ignores a default action there, so it runs on until it is killed."""
    end = """
from otel_agents.distro import lifecycle
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


def test_the_setting_leaves_the_default_action_in_place(tmp_path: Path) -> None:
    path = program(tmp_path, PLACES["sleep"])
    with (
        Receiver() as receiver,
        run(path, receiver.endpoint, {"OTEL_AGENTS_SIGNALS": "false"}) as process,
    ):
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == []
