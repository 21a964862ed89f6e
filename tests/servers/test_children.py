"""Telemetry of child processes that libraries start, fork and end in their own ways arrives."""

from __future__ import annotations

import pytest
from instrumented import instrumented, running, script
from redis_server import redis
from worked_jobs import Telemetry

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


CALLED = """
    from jobs import tracer, work

    if __name__ == "__main__":
        with tracer.start_as_current_span("caller"):
            WAY
"""
CARRYING = {
    "multiprocess": "import multiprocess; multiprocess.Pool(1).map(work, range(2))",
    "joblib": "import joblib; joblib.Parallel(2)(joblib.delayed(work)(n) for n in range(2))",
    "loky": "import loky; list(loky.get_reusable_executor(2).map(work, range(2)))",
}


@pytest.mark.parametrize("pool", CARRYING)
def test_jobs_are_in_the_trace_of_their_caller(telemetry: Telemetry, pool: str) -> None:
    telemetry.run(CALLED.replace("WAY", CARRYING[pool]))
    by_name = {span.name: span for span in telemetry.receiver.spans}
    caller = by_name.pop("caller")
    assert sorted(by_name) == ["work 0", "work 1"]
    assert {(span.trace_id, span.parent_span_id) for span in by_name.values()} == {
        (caller.trace_id, caller.span_id)
    }


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
