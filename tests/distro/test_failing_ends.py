"""Whatever fails in our exit code, the process ends as it would have, with one log line."""

from __future__ import annotations

import json
import signal
from pathlib import Path

import pytest
from instrumented import instrumented, script
from otlp_receiver import Receiver

PROGRAM = """
    import faulthandler, importlib, inspect, json, os, pkgutil, signal, sys
    from opentelemetry import trace
    from otel_agents.distro import ending

    def functions():
        for found in pkgutil.iter_modules(ending.__path__, ending.__name__ + "."):
            if (found.name.rpartition(".")[2] == "lifecycle") != (sys.argv[2] == "lifecycle"):
                continue
            module = importlib.import_module(found.name)
            owners = [it for it in vars(module).values() if inspect.isclass(it)]
            for owner in [module, *owners]:
                for value in list(vars(owner).values()):
                    function = inspect.unwrap(value) if callable(value) else None
                    if inspect.isfunction(function) and function.__module__ == module.__name__:
                        yield function

    def fail(*args, **kwargs):
        raise LookupError("a planted secret")

    tracer = trace.get_tracer("t")
    tracer.start_span("warm").end()
    assert trace.get_tracer_provider().force_flush()
    children, statuses = {}, {}

    def wait(name):
        statuses[name] = os.waitstatus_to_exitcode(os.waitpid(children.pop(name), 0)[1])

    for function in dict.fromkeys(functions()):
        name = f"{function.__module__.rpartition('.')[2]}.{function.__qualname__}"
        if name in SHELLS:
            continue
        child = os.fork()
        if not child:
            faulthandler.dump_traceback_later(40, exit=True)
            function.__code__ = fail.__code__
            tracer.start_span(name).end()
            left = tracer.start_span("left")
            if sys.argv[1] == "signal":
                os.kill(os.getpid(), signal.SIGTERM)
                while True:
                    signal.pause()
            sys.exit(3)
        children[name] = child
        if len(children) > 4:
            wait(next(iter(children)))
    for name in list(children):
        wait(name)
    print(json.dumps(statuses))
"""


SHELLS = {"termination.DefaultAction._handle", "termination.DefaultAction._end"}
"""What calls the guarded functions; a failure there is the guard's own."""


@pytest.mark.parametrize("part", ["lifecycle", "the others"])
@pytest.mark.parametrize(
    ("end", "statuses", "needed"),
    [
        ("exit", {3}, ("lifecycle.Lifecycle.shutdown",)),
        (
            "signal",
            {-signal.SIGTERM, 128 + signal.SIGTERM},
            (
                "lifecycle.Lifecycle.shutdown",
                "lifecycle.Lifecycle.interrupt",
                "termination",
                "watch",
            ),
        ),
    ],
)
def test_our_failure_in_any_function_does_not_change_the_exit(
    tmp_path: Path, end: str, part: str, statuses: set[int], needed: tuple[str, ...]
) -> None:
    """And the queue is delivered, unless the failing function is the one that delivers it."""
    with Receiver() as receiver:
        variables = {
            "PYTHONWARNINGS": "ignore",
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_AGENTS_EXIT_TIMEOUT": "10",  # several end at the same time
            "OTEL_AGENTS_SIGNAL_TIMEOUT": "10",
        }
        done = instrumented(
            script(tmp_path, PROGRAM.replace("SHELLS", repr(SHELLS))),
            variables,
            arguments=(end, part),
        )
    assert done.status == 0, done.err
    found = json.loads(done.out)
    assert len(found) > 15
    assert {name: found[name] for name in found if found[name] not in statuses} == {}
    missing = found.keys() - set(receiver.span_names)
    assert {name for name in missing if not name.startswith(needed)} == set()
    assert [it for it in done.err.splitlines() if not it.startswith("otel-agents")] == []


FOREIGN = """
    from opentelemetry import metrics, trace
    from opentelemetry._logs import get_logger_provider
    from opentelemetry.sdk.trace import SpanProcessor

    class Failing(SpanProcessor):
        def force_flush(self, timeout_millis=0):
            raise SystemExit

        def shutdown(self):
            raise SystemExit

        on_emit = emit = force_flush

    def fail(options):
        raise LookupError("a planted secret")

    trace.get_tracer_provider().add_span_processor(Failing())
    get_logger_provider().add_log_record_processor(Failing())
    metrics.get_meter("m").create_observable_gauge("failing", [fail])
    metrics.get_meter("m").create_counter("counted").add(1)
    trace.get_tracer("t").start_span("work").end()
"""


@pytest.mark.parametrize("frozen", [False, True])
def test_failing_third_party_code_stops_nothing_else(tmp_path: Path, frozen: bool) -> None:
    """And the exit does not wait for it."""
    path = script(tmp_path, FOREIGN)
    with Receiver() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_AGENTS_EXIT_TIMEOUT": "30",
        }
        variables |= {"AWS_LAMBDA_FUNCTION_NAME": "planner"} if frozen else {}
        done = instrumented(path, variables)
    assert done.status == 0
    assert receiver.span_names == ["work"]
    assert "counted" in receiver.metric_names
    assert done.seconds < 30
