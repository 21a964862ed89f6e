"""SIGTERM and SIGINT: finished and open spans arrive, and the process ends as it would have."""

from __future__ import annotations

import signal
import time
from pathlib import Path
from typing import Any

import pytest
from faults import measured
from instrumented import script
from otlp_receiver import Receiver, free_port
from signalled import ENDED, OPEN, ended, line, program, run

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
from otel_agents.distro.ending import lifecycle
with lifecycle.current().pipeline.deliveries["traces"][0]._lock:
    ready()
    while lifecycle.current()._action._asked is None: pass
time.sleep(60)""",
}
EXIT_TIMEOUT = 1.0
MARGIN = 4.0


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
