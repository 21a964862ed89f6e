"""The programs of the process models, which call a model through the OpenAI SDK."""

from __future__ import annotations

from collections.abc import Mapping

__all__ = ["PROGRAMS"]

_CALLING = """
    import os
    from openai import AsyncOpenAI, OpenAI

    QUESTION = [{"role": "user", "content": "Hello?"}]

    def call(model):
        client = OpenAI(max_retries=0, timeout=50)
        return client.chat.completions.create(model=model, messages=QUESTION).choices[0].message.content

    async def acall(model):
        client = AsyncOpenAI(max_retries=0, timeout=50)
        answer = await client.chat.completions.create(model=model, messages=QUESTION)
        return answer.choices[0].message.content
"""
_WSGI = """
    from calling import call

    def application(environ, start_response):
        answer = call(environ["PATH_INFO"][1:])
        start_response("200 OK", [("Content-Type", "text/plain")])
        return [answer.encode()]

    print("loaded\\n", end="", flush=True)  # in one write: other workers print too
"""
_WARM = """
    from calling import call
    from wsgi import application

    call("at-load")
"""
_ASGI = """
    from calling import acall

    async def application(scope, receive, send):
        if scope["type"] == "http":
            answer = await acall(scope["path"][1:])
            head = {"type": "http.response.start", "status": 200, "headers": []}
            await send(head)
            await send({"type": "http.response.body", "body": answer.encode()})

    print("loaded\\n", end="", flush=True)  # in one write: other workers print too
"""
_EVENTLET = """
    import eventlet
    eventlet.monkey_patch()
    import os
    from eventlet import wsgi
    from wsgi import application

    wsgi.server(eventlet.listen(("127.0.0.1", int(os.environ["PORT"]))), application, log_output=False)
"""
_TASKS = """
    import os, sys
    from calling import call
    from celery import Celery

    app = Celery("tasks", broker="filesystem://", backend="file://" + os.environ["RESULTS"])
    folders = dict.fromkeys(["data_folder_in", "data_folder_out"], os.environ["QUEUE"])
    app.conf.broker_transport_options = {**folders, "control_folder": os.environ["CONTROL"]}
    app.task(call, name="call")

    if __name__ == "__main__":
        results = [app.send_task("call", [model]) for model in sys.argv[1:]]
        for result in results:
            print(result.get(timeout=50, interval=0.05, propagate=False), flush=True)
"""
_JOBS = """
    import os, sys
    from calling import call
    from redis import Redis
    from rq import Queue
    from rq.results import Result

    queue = Queue(connection=Redis.from_url(os.environ["RQ_REDIS_URL"], socket_timeout=60))
    for job in [queue.enqueue(call, model) for model in sys.argv[2:]]:
        if sys.argv[1] == "wait":
            print(job.latest_result(timeout=50).return_value, flush=True)
"""
_PARALLEL = """
    import joblib
    from calling import call

    for answer in joblib.Parallel(n_jobs=2)(joblib.delayed(call)(f"m{i}") for i in range(4)):
        print(answer, flush=True)
"""
_EXECUTOR = """
    import loky
    from calling import call

    with loky.ProcessPoolExecutor(2) as pool:
        for answer in pool.map(call, ["m0", "m1", "m2", "m3"]):
            print(answer, flush=True)
"""
_NOTEBOOK = """
    import os, signal, sys
    from jupyter_client.kernelspec import KernelSpec
    from jupyter_client.manager import KernelManager

    ending, *command = sys.argv[1:]
    manager = KernelManager()
    manager._kernel_spec = KernelSpec(argv=[*command, "-f", "{connection_file}"])
    manager.start_kernel(env=dict(os.environ))
    client = manager.client()
    client.start_channels()
    client.wait_for_ready(timeout=50)
    client.execute_interactive("from calling import call", timeout=50)
    for model in sys.stdin:
        client.execute_interactive(f"print(call({model.strip()!r}))", timeout=50)
        sys.stdout.flush()
    if ending == "shutdown":
        manager.shutdown_kernel()
    else:
        manager.signal_kernel(getattr(signal, ending))
        manager.provisioner.process.wait()
"""
_PROXY = """
    model_list:
      - model_name: "*"
        litellm_params: {model: "openai/*", api_base: os.environ/OPENAI_BASE_URL, api_key: none}
    general_settings: {master_key: sk-none}
"""

PROGRAMS: Mapping[str, str] = {
    "calling.py": _CALLING,
    "wsgi.py": _WSGI,
    "warm.py": _WARM,
    "asgi.py": _ASGI,
    "server.py": _EVENTLET,
    "tasks.py": _TASKS,
    "jobs.py": _JOBS,
    "parallel.py": _PARALLEL,
    "executor.py": _EXECUTOR,
    "notebook.py": _NOTEBOOK,
    "proxy.yaml": _PROXY,
}
"""Sources by file name."""
