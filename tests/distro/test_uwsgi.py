"""uWSGI where it is not installed: a program behaves as it does."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from instrumented import instrumented, script
from otlp_receiver import Receiver

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="it looks at /proc")

FORKING = """
    import ctypes, os, sys, types
    from opentelemetry import metrics, trace

    counter = metrics.get_meter("t").create_counter("worked")

    def work(name):
        trace.get_tracer("t").start_span(name).end()
        counter.add(1)

    worker, times = 0, 0
    server = types.ModuleType("uwsgi")
    server.worker_id = lambda: worker
    server.mule_id = lambda: 0
    server.workers = lambda: [{"respawn_count": times}]
    sys.modules["uwsgi"] = server
    work("as it is loaded")
    print(len(os.listdir("/proc/self/task")), flush=True)
    for worker, times in ((2, 0), (1, 0), (1, 1)):
        if not ctypes.PyDLL(None).fork():
            if worker == 2:
                work("in a worker")
            sys.exit()
        os.wait()
    os._exit(0)
"""
ALONE = """
    import os, sys, types
    from opentelemetry import trace

    def threads():
        return len(os.listdir("/proc/self/task"))

    server = types.ModuleType("uwsgi")
    server.worker_id = server.mule_id = lambda: 0
    sys.modules["uwsgi"] = server
    trace.get_tracer("t").start_span("as it is loaded").end()
    before = threads()
    server.worker_id = lambda: 1
    trace.get_tracer("t").start_span("in a request").end()
    print(before, threads())
"""


def test_the_first_worker_sends_what_its_parent_recorded(tmp_path: Path) -> None:
    """Though it has recorded nothing; its parent has no thread and runs no exit handlers."""
    with Receiver() as receiver:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OTEL_METRIC_EXPORT_INTERVAL": "10",
        }
        done = instrumented(script(tmp_path, FORKING, "uwsgi.py"), variables)
        assert (done.out, done.status) == ("1\n", 0), done.err
    assert receiver.span_names == ["as it is loaded", "in a worker"]
    assert sum(receiver.totals("worked").values()) == 2


def test_without_a_fork_threads_start_with_the_first_record(tmp_path: Path) -> None:
    """The threads of spans and of metrics."""
    with Receiver() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(script(tmp_path, ALONE, "uwsgi.py"), variables)
    assert (done.out, done.status) == ("1 3\n", 0), done.err
    assert receiver.span_names == ["as it is loaded", "in a request"]


NAMED = "from otel_agents.distro.starting.uwsgi import is_uwsgi; print(is_uwsgi())"


@pytest.mark.parametrize("name", ["uwsgi", "uwsgi-core", "other"])
def test_uwsgi_is_detected_where_sys_executable_is_another_program(
    tmp_path: Path, name: str
) -> None:
    """As under uWSGI in a virtual environment."""
    program = shutil.copy(os.path.realpath(sys.executable), tmp_path / name)
    done = subprocess.run(
        [sys.executable, "-c", NAMED],
        executable=program,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == (f"{name != 'other'}\n", "")
