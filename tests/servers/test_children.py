"""Telemetry of child processes that libraries start, fork and end in their own ways arrives."""

from __future__ import annotations

import json
import signal
import socket
import time
from collections.abc import Generator
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path

import pytest
from instrumented import Finished, instrumented, running, script
from otlp_receiver import Receiver, free_port
from redis_server import redis

WORK = """
    from opentelemetry import metrics, trace

    tracer = trace.get_tracer("t")
    counter = metrics.get_meter("t").create_counter("worked")

    def work(number):
        tracer.start_span(f"work {number}").end()
        counter.add(1)
        return number
"""
PATIENT = "60"
"""The limit of an end in seconds, never reached."""


@dataclass
class Telemetry:
    """Run a program in ``folder``, and return what arrived."""

    receiver: Receiver
    folder: Path

    @property
    def variables(self) -> dict[str, str]:
        return {
            "OTEL_EXPORTER_OTLP_ENDPOINT": self.receiver.endpoint,
            "OTEL_AGENTS_EXIT_TIMEOUT": PATIENT,
            "OTEL_BSP_SCHEDULE_DELAY": "3600000",  # nothing is sent but at an end
            "OTEL_METRIC_EXPORT_INTERVAL": "3600000",
            "PYTHONPATH": str(self.folder),
            "PYTHONWARNINGS": "ignore",  # Python 3.12 and later warn of fork with threads
        }

    def run(self, text: str) -> Finished:
        program = script(self.folder, text)
        done = instrumented(program, self.variables)
        assert done.status == 0, done.err
        return done

    def all_arrived(self, numbers: int) -> None:
        """Check a span for each job, and all of them in the metrics."""
        assert self.receiver.span_names == [f"work {number}" for number in range(numbers)]
        assert sum(self.receiver.totals("worked").values()) == numbers


@pytest.fixture
def telemetry(tmp_path: Path) -> Generator[Telemetry]:
    script(tmp_path, WORK, "jobs.py")
    with Receiver() as receiver:
        yield Telemetry(receiver, tmp_path)


POOLS = """
    import importlib, sys
    from jobs import work

    if __name__ == "__main__":
        library = importlib.import_module("LIBRARY").get_context("METHOD")
        with library.Pool(2) as pool:
            pool.map(work, range(4))
            pool.close()
            pool.join()
        process = library.Process(target=work, args=(4,))
        process.start()
        process.join()
        sys.exit(process.exitcode)
"""


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
@pytest.mark.parametrize("library", ["multiprocessing", "multiprocess", "billiard"])
def test_pools_and_processes(telemetry: Telemetry, library: str, method: str) -> None:
    telemetry.run(POOLS.replace("LIBRARY", library).replace("METHOD", method))
    telemetry.all_arrived(5)


@pytest.mark.parametrize("pool", ["joblib", "loky"])
def test_loky(telemetry: Telemetry, pool: str) -> None:
    ways = {
        "joblib": "import joblib; joblib.Parallel(2)(joblib.delayed(work)(n) for n in range(4))",
        "loky": "import loky; list(loky.get_reusable_executor(2).map(work, range(4)))",
    }
    telemetry.run(f'from jobs import work\nif __name__ == "__main__":\n    {ways[pool]}')
    telemetry.all_arrived(4)


CELERY = """
    import sys
    from celery import Celery
    from jobs import work

    app = Celery("tasks", broker="filesystem://", backend="file://FOLDER/results")
    app.conf.broker_transport_options = {
        "data_folder_in": "FOLDER", "data_folder_out": "FOLDER", "control_folder": "FOLDER/control"
    }

    @app.task(name="work")
    def task(number):
        return work(number)

    if sys.argv[1:] == ["send"]:
        sent = [task.delay(number) for number in range(4)]
        print(len([result.get(timeout=60, interval=0.05) for result in sent]))
    elif __name__ == "__main__":
        from celery.__main__ import main

        main()
"""


@pytest.mark.parametrize("tasks_of_a_child", [None, 1, 2])
def test_celery(telemetry: Telemetry, tasks_of_a_child: int | None) -> None:
    """Its workers end after a number of tasks, and at once when the program is terminated."""
    queue = telemetry.folder / "queue"
    for folder in (queue, queue / "results", queue / "control"):
        folder.mkdir()
    program = script(telemetry.folder, CELERY.replace("FOLDER", str(queue)), "tasks.py")
    arguments = ["-A", "tasks", "worker", "--concurrency=2", "--loglevel=ERROR"]
    arguments += ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    if tasks_of_a_child is not None:
        arguments.append(f"--max-tasks-per-child={tasks_of_a_child}")
    variables = telemetry.variables
    with running(program, variables, arguments=arguments) as process:
        sending = instrumented(program, variables, instrument=False, arguments=["send"])
        assert (sending.out, sending.status) == ("4\n", 0), sending.err
        process.terminate()
        process.communicate(timeout=60)
    assert process.returncode == 0
    telemetry.all_arrived(4)


RQ = """
    import sys
    import jobs
    from redis import Redis
    from rq import Queue, SpawnWorker, Worker

    if __name__ == "__main__":
        connection = Redis.from_url(sys.argv[2])
        queue = Queue(connection=connection)
        sent = [queue.enqueue(jobs.work, number) for number in range(3)]
        kind = {"fork": Worker, "spawn": SpawnWorker}[sys.argv[1]]
        kind([queue], connection=connection).work(burst=True, logging_level="ERROR")
        print([job.get_status(refresh=True).value for job in sent])
"""


@pytest.mark.parametrize("way", ["fork", "spawn"])
def test_rq(telemetry: Telemetry, way: str) -> None:
    """Each job has its own process, which ends by `os._exit`."""
    program = script(telemetry.folder, RQ)
    with redis() as address:
        variables = telemetry.variables
        done = instrumented(program, variables, arguments=[way, address])
    assert (done.out, done.status) == ("['finished', 'finished', 'finished']\n", 0), done.err
    telemetry.all_arrived(3)


WSGI = """
    from jobs import work

    def application(environ, start_response):
        work(int(environ["PATH_INFO"][1:]))
        start_response("204 No Content", [])
        return []
"""


def busy(port: int) -> bool:
    """Return whether uWSGI's stats at ``port`` report a busy worker."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        stats = json.load(connection.makefile())
    return any(worker["status"] != "idle" for worker in stats["workers"])


@pytest.mark.parametrize(
    "options",
    [
        ["--master"],
        ["--master", "--processes=2"],
        ["--master", "--processes=2", "--lazy-apps"],
        ["--master", "--processes=2", "--threads=2"],
        ["--master", "--processes=2", "--py-call-osafterfork"],
    ],
)
@pytest.mark.xfail(reason="issue 13: a worker of uWSGI's may hang after the fork", strict=False)
def test_uwsgi(telemetry: Telemetry, options: list[str]) -> None:
    """uWSGI forks without the interpreter's hooks; a worker ends once it has delivered."""
    script(telemetry.folder, WSGI, "site_of_jobs.py")
    run = "import pyuwsgi, sys; sys.exit(pyuwsgi.run())"
    uwsgi = script(telemetry.folder, run, "uwsgi_run.py")  # known by its name
    port, stats = free_port(), free_port()
    arguments = ["--http-socket", f"127.0.0.1:{port}", "--stats", f"127.0.0.1:{stats}"]
    arguments += ["--module", "site_of_jobs", "--enable-threads", "--die-on-term", *options]
    with running(uwsgi, telemetry.variables, arguments=arguments) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if "spawned uWSGI worker" in line and "cores" in line:
                break
        for number in range(4):
            connection = HTTPConnection("127.0.0.1", port, timeout=30)
            connection.request("GET", f"/{number}")
            assert connection.getresponse().status == 204
            connection.close()
        while busy(stats):  # where it ends in a request, uWSGI runs no exit handlers
            pass
        began = time.monotonic()
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=60)
    assert time.monotonic() - began < float(PATIENT) / 2
    telemetry.all_arrived(4)
