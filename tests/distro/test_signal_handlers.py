"""The application's signal handlers, whenever they are set, work unchanged."""

from __future__ import annotations

import ast
import signal
from pathlib import Path

import pytest
from faults import measured
from instrumented import script
from otlp_receiver import Receiver
from signalled import ENDED, OPEN, ended, program, run

from otel_agents import distro

TRACES = {"OTEL_METRICS_EXPORTER": "none"}


def test_a_handler_that_the_application_sets_later_wins(tmp_path: Path) -> None:
    """It replaces ours, which `signal.signal` returns, and its ``sys.exit`` delivers."""
    end = """
def stop(*_):
    sys.exit(7)

ours = signal.getsignal(signal.SIGTERM)
assert callable(ours)
assert signal.signal(signal.SIGTERM, stop) == ours
assert signal.getsignal(signal.SIGTERM) is stop
ready()
while True:  # a signal just before a sleep does not end it
    time.sleep(0.05)
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (7, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_a_handler_may_put_the_default_back_and_raise_the_signal_again(tmp_path: Path) -> None:
    """As servers do, and event loops that remove their handlers."""
    end = """
previous = signal.getsignal(signal.SIGTERM)

def stop(signum, frame):
    outer.end()
    signal.signal(signal.SIGTERM, previous)
    signal.raise_signal(signum)

signal.signal(signal.SIGTERM, stop)
ready()
while True:  # a signal just before a sleep does not end it
    time.sleep(0.05)
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_a_handler_that_calls_ours_is_not_called_again(tmp_path: Path) -> None:
    """As handlers do that call the previous handler."""
    end = """
import os
previous = signal.getsignal(signal.SIGTERM)

def stop(signum, frame):
    os.write(1, b"stopping\\n")  # it may have interrupted a print
    previous(signum, frame)

signal.signal(signal.SIGTERM, stop)
ready()
while True:  # a signal just before a sleep does not end it
    time.sleep(0.05)
"""
    path = program(tmp_path, end)
    with Receiver(hang=True) as receiver, run(path, receiver.endpoint, TRACES) as process:
        process.terminate()
        assert receiver.first_request.wait(30)
        receiver.release()
        assert ended(process) == (-signal.SIGTERM, "stopping\n", "")
    assert receiver.span_names == ENDED + OPEN


def test_the_default_action_that_the_application_sets_ends_it_at_once(tmp_path: Path) -> None:
    """Without delivering the queue, as `signal.getsignal` shows."""
    end = """
signal.signal(signal.SIGTERM, signal.SIG_DFL)
assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
ready()
while True:  # a signal just before a sleep does not end it
    time.sleep(0.05)
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == []
    measured("sigterm-default", sent=5, arrived=receiver.unique_spans)


def test_only_documented_python_apis_are_used() -> None:
    for path in Path(str(distro.__file__)).parent.rglob("*.py"):
        used = {
            name
            for node in ast.walk(ast.parse(path.read_text("utf-8")))
            for name in (getattr(node, "id", ""), getattr(node, "module", ""), *names(node))
        }
        assert used & {"ctypes", "exec", "eval"} == set(), path


def names(node: ast.AST) -> list[str]:
    return [alias.name for alias in node.names] if isinstance(node, ast.Import) else []


def test_nothing_of_the_standard_library_is_replaced(tmp_path: Path) -> None:
    end = """
for function in signal.signal, signal.getsignal:
    assert function.__code__.co_filename == signal.__file__
assert signal.set_wakeup_fd is sys.modules["_signal"].set_wakeup_fd
ready()
"""
    path = program(tmp_path, end)
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        assert ended(process) == (0, "", "")


@pytest.mark.parametrize(
    ("before", "out"), [("signal.SIG_IGN", ""), ("lambda *_: print('own')", "own\n")]
)
def test_what_the_application_had_set_before_stays(tmp_path: Path, before: str, out: str) -> None:
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
        assert ended(process, "go on\n") == (0, out, "")
    assert receiver.span_names == ["work"]


def test_initialized_outside_the_main_thread_it_handles_no_signals(tmp_path: Path) -> None:
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


def test_other_libraries_may_take_the_wakeup_descriptor(tmp_path: Path) -> None:
    """Trio warns its user if it is in use; asyncio takes it and does not restore it."""
    end = """
taken = signal.set_wakeup_fd(-1)
signal.set_wakeup_fd(taken, warn_on_full_buffer=False)
import trio
assert (taken >= 0, signal.set_wakeup_fd(-1)) == (True, -1)
ready()
while True:  # a signal just before a sleep does not end it
    time.sleep(0.05)
"""
    path = program(tmp_path, end)
    script(tmp_path, "", "trio.py")
    with Receiver() as receiver, run(path, receiver.endpoint) as process:
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == ENDED + OPEN


def test_the_setting_keeps_the_default_action(tmp_path: Path) -> None:
    path = program(tmp_path, "ready(); time.sleep(60)")
    with (
        Receiver() as receiver,
        run(path, receiver.endpoint, {"OTEL_AGENTS_SIGNALS": "false"}) as process,
    ):
        process.terminate()
        assert ended(process) == (-signal.SIGTERM, "", "")
    assert receiver.span_names == []
