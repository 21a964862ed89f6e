"""uWSGI forks without Python's fork hooks: no worker hangs, and nothing is dropped."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from subprocess import Popen

import pytest
from instrumented import running, script
from otlp_receiver import free_port
from process_trees import Tree
from worked_jobs import PATIENT, Telemetry

SECONDS = 30.0
SITE = """
    from jobs import work

    def application(environ, start_response):
        work(int(environ["PATH_INFO"][1:]))
        start_response("204 No Content", [])
        return []
"""
BUSY_MASTER = SITE + "\n    work(0)  # as it is loaded\n"
KIN = """
    import uwsgi
    from jobs import work

    def spool(job):
        work(int(job[b"number"]))
        return uwsgi.SPOOL_OK

    uwsgi.spooler = spool

    def application(environ, start_response):
        to, number = environ["PATH_INFO"][1:].split("/")
        if to == "mule":
            uwsgi.mule_msg(number.encode())
        else:
            uwsgi.spool({b"number": number.encode()})
        start_response("204 No Content", [])
        return []
"""
MULE = """
    import uwsgi
    from jobs import work

    while True:
        work(int(uwsgi.mule_get_msg()))
"""
RUN = "import pyuwsgi, sys; sys.exit(pyuwsgi.run())"
MASTER = ["--master", "--enable-threads"]


@dataclass
class Site:
    """A running uWSGI."""

    process: Popen[str]
    port: int
    stats: int | None
    tree: Tree

    def request(self, *paths: object) -> None:
        """Request the paths one after another."""
        for path in paths:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=SECONDS)
            connection.request("GET", f"/{path}")
            assert connection.getresponse().status == 204
            connection.close()

    @property
    def threads(self) -> int:
        """Number of threads of the process that was started."""
        return len(os.listdir(f"/proc/{self.process.pid}/task"))

    @property
    def idle(self) -> bool:
        """Whether each of its workers waits for requests; a master's stats show it."""
        if self.stats is None:
            return self.tree.idle(SECONDS)
        with socket.create_connection(("127.0.0.1", self.stats)) as connection:
            stats = json.load(connection.makefile())
        return all(one["accepting"] and one["status"] == "idle" for one in stats["workers"])

    def end(self) -> float:
        """End it when it is idle. Return the seconds that took.

        During a request it runs no exit handlers, and a process that is still starting may miss the
        signal.
        """
        while not self.idle:
            pass
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=60)
        return time.monotonic() - began


@contextmanager
def site(
    telemetry: Telemetry,
    options: list[str],
    text: str = SITE,
    variables: Mapping[str, str] | None = None,
) -> Generator[Site]:
    """Run uWSGI, and kill the processes that it leaves behind."""
    script(telemetry.folder, text, "site_of_jobs.py")
    uwsgi = script(telemetry.folder, RUN, "uwsgi_run.py")  # detected by this name
    port, tree = free_port(), Tree()
    arguments = ["--http-socket", f"127.0.0.1:{port}", "--module", "site_of_jobs", "--die-on-term"]
    stats, last = None, "spawned uWSGI worker"
    if "--master" in options:
        stats, last = free_port(), "Stats server enabled"
        arguments += ["--stats", f"127.0.0.1:{stats}"]  # the option implies a master
    arguments += options
    named = telemetry.variables | tree.variables | dict(variables or {})
    with running(uwsgi, named, arguments=arguments) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if last in line:
                break
        try:
            yield Site(process, port, stats, tree)
        finally:
            tree.kill()


@pytest.mark.parametrize(
    "options",
    [
        MASTER,
        ["--master"],  # uWSGI lets threads run only while Python runs
        [*MASTER, "--processes=2"],
        [*MASTER, "--processes=2", "--lazy-apps"],
        [*MASTER, "--processes=2", "--threads=2"],
        [*MASTER, "--processes=2", "--py-call-osafterfork"],
    ],
)
def test_a_worker_delivers_as_it_ends_and_its_master_has_no_thread(
    telemetry: Telemetry, options: list[str]
) -> None:
    """So no worker can wait for one."""
    with site(telemetry, options) as it:
        it.request(*range(4))
        assert it.threads == 1
        assert it.end() < float(PATIENT) / 2
    telemetry.all_arrived(4)


@pytest.mark.parametrize("requests", [0, 3])
@pytest.mark.parametrize(
    "options",
    [
        ["--enable-threads"],
        [*MASTER, "--processes=2"],
        [*MASTER, "--processes=2", "--py-call-osafterfork"],
    ],
)
def test_what_was_recorded_before_the_fork_arrives_once(
    telemetry: Telemetry, options: list[str], requests: int
) -> None:
    """The master runs no exit handlers: the first of its workers sends it, however many it has."""
    with site(telemetry, options, BUSY_MASTER) as it:
        it.request(*range(1, requests + 1))
        it.end()
    telemetry.all_arrived(requests + 1)


def test_a_replacement_worker_does_not_send_it_again(
    telemetry: Telemetry,
) -> None:
    options = [*MASTER, "--max-requests=1", "--min-worker-lifetime=0"]
    with site(telemetry, options, BUSY_MASTER) as it:
        for number in (1, 2, 3):
            it.request(number)
            eventually(telemetry, lambda stats=number + 1: telemetry.receiver.unique_spans == stats)
        it.end()
    telemetry.all_arrived(4)


@pytest.mark.parametrize("options", [["--enable-threads"], MASTER, [*MASTER, "--lazy-apps"]])
def test_it_exports_at_intervals(telemetry: Telemetry, options: list[str]) -> None:
    """A worker starts its threads, including that of metrics, with its first record."""
    soon = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "50"}
    with site(telemetry, options, variables=soon) as it:
        it.request(0)
        eventually(telemetry, lambda: "worked" in telemetry.receiver.metric_names)
        eventually(telemetry, lambda: telemetry.receiver.unique_spans == 1)
        telemetry.all_arrived(1)


def test_mules_and_spoolers_deliver_too(telemetry: Telemetry) -> None:
    """A mule when it ends; a spooler, which is killed, at intervals."""
    mule = script(telemetry.folder, MULE, "mule.py")
    spool = telemetry.folder / "spool"
    spool.mkdir()
    soon = {"OTEL_BSP_SCHEDULE_DELAY": "50", "OTEL_METRIC_EXPORT_INTERVAL": "50"}
    options = [*MASTER, f"--mule={mule}", f"--spooler={spool}"]
    with site(telemetry, options, KIN, soon) as it:
        it.request("mule/0", "spooler/1")
        eventually(telemetry, lambda: sum(telemetry.receiver.totals("worked").values()) == 2)
        eventually(telemetry, lambda: telemetry.receiver.unique_spans == 2)
        assert it.threads == 1
    telemetry.all_arrived(2)


def eventually(telemetry: Telemetry, done: Callable[[], bool]) -> None:
    with telemetry.receiver.arrived:
        assert telemetry.receiver.arrived.wait_for(done, SECONDS)
