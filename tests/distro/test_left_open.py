"""Operations that are open when a program exits are ended and sent."""

from __future__ import annotations

import textwrap
from pathlib import Path
from typing import Any

import pytest
from instrumented import instrumented, script
from otlp_receiver import Receiver

from otel_agents.testing.scripted_model import ScriptedModel

ABANDONED = (0, {"otel_agents.stream.abandoned": True})
INTERRUPTED = (2, {"error.type": "interrupted"})
NO_ERROR: tuple[int, dict[str, Any]] = (0, {})
OPERATIONS = """
    from otel_agents.instrumentors._core.calls.proxies import follow_generator
    from otel_agents.instrumentors._core.calls.streams import StreamProxy
    from otel_agents.instrumentors._core.operations import Inference, InvokeAgent
    from otel_agents.instrumentors._core.operations.models import ClaimedCall
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
    from otel_agents.semconv.values import Operation

    telemetry = Telemetry("t")

    def inference(model):
        return Inference(telemetry, Operation.CHAT, "openai", model, None)
"""


def outcome(span: Any) -> tuple[int, dict[str, Any]]:
    """Return the status and the attributes about the end."""
    attributes = {pair.key: pair.value for pair in span.attributes}
    end: dict[str, Any] = {}
    if "error.type" in attributes:
        end["error.type"] = attributes["error.type"].string_value
    if "otel_agents.stream.abandoned" in attributes:
        end["otel_agents.stream.abandoned"] = attributes["otel_agents.stream.abandoned"].bool_value
    return span.status.code, end


def outcomes(receiver: Receiver) -> dict[str, tuple[int, dict[str, Any]]]:
    found = {span.name: outcome(span) for span in receiver.spans}
    assert len(found) == len(receiver.spans)
    return found


@pytest.mark.parametrize("end", ["", "client.close()"])
def test_a_stream_that_the_program_left_unread_is_abandoned(tmp_path: Path, end: str) -> None:
    program = script(
        tmp_path,
        f"""
        from openai import OpenAI

        client = OpenAI()
        message = {{"role": "user", "content": "one two three"}}
        stream = client.chat.completions.create(model="m", messages=[message], stream=True)
        next(stream)
        {end}
        """,
    )
    with Receiver() as receiver, ScriptedModel() as model:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
        }
        bare = instrumented(program, variables, instrument=False)
        done = instrumented(program, variables, installed=True)
    assert done.status == bare.status, done.err  # which is a crash on Python 3.13.0
    assert outcomes(receiver) == {"chat m": ABANDONED}
    assert "gen_ai.client.operation.duration" in receiver.metric_names


CALLS = """
    import os, signal, socket, sys, threading, types
    from openai import OpenAI

    messages = [{"role": "user", "content": "one two three"}]
    silent = socket.create_server(("127.0.0.1", 0))
    url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
    client, unanswered = OpenAI(), OpenAI(base_url=url, max_retries=0)

    def ask(model):
        unanswered.chat.completions.create(model=model, messages=messages)

    def asked():
        connection, _ = silent.accept()
        connection.recv(1)
        return connection

    def of_a_daemon():
        threading.Thread(target=ask, args=("daemon",), daemon=True).start()
        return asked()
"""
PROGRAMS = {
    "a stream that a notebook holds": (
        """
    notebook = sys.modules["notebook"] = types.ModuleType("notebook")
    vars(notebook).update(client=client, messages=messages)
    cell = "stream = client.chat.completions.create(model='m', messages=messages, stream=True)"
    exec(f"{cell}; next(stream)", vars(notebook))
    """,
        {"chat m": ABANDONED},
    ),
    "a daemon thread's call": ("kept = of_a_daemon()", {"chat daemon": INTERRUPTED}),
    "Ctrl-C while another thread calls too": (
        """
    def interrupt():
        with asked():
            os.kill(os.getpid(), signal.SIGINT)
            threading.Event().wait()

    kept = of_a_daemon()
    threading.Thread(target=interrupt, daemon=True).start()
    ask("main")
    """,
        {"chat daemon": INTERRUPTED, "chat main": (2, {"error.type": "KeyboardInterrupt"})},
    ),
}


@pytest.mark.parametrize("program", PROGRAMS)
def test_calls_in_progress_at_exit_arrive(tmp_path: Path, program: str) -> None:
    text, expected = PROGRAMS[program]
    path = script(tmp_path, CALLS + textwrap.indent(textwrap.dedent(text), "    "))
    with Receiver() as receiver, ScriptedModel() as model:
        variables = {
            "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
            "OPENAI_BASE_URL": model.openai_url,
            "OPENAI_API_KEY": "none",
        }
        instrumented(path, variables, installed=True)
    assert outcomes(receiver) == expected
    assert "gen_ai.client.operation.duration" in receiver.metric_names


LEFT = """
    from opentelemetry import trace

    outer = trace.get_tracer("t").start_span("outer")
    agent = InvokeAgent(telemetry, "planner", parent=trace.set_span_in_context(outer))
    call = Inference(telemetry, Operation.CHAT, "openai", "m", None, parent=agent.context)
"""
ENDS = {
    "its last line": ("pass", 0),
    "sys.exit": ("import sys; sys.exit(3)", 3),
    "an exception that nobody catches": ("raise SystemError", 1),
}


@pytest.mark.parametrize("instrument", [True, False])
@pytest.mark.parametrize("end", ENDS)
def test_open_runs_are_interrupted(tmp_path: Path, end: str, instrument: bool) -> None:
    end, status = ENDS[end]
    begin = "" if instrument else "    from otel_agents.distro import initialize; initialize()"
    path = script(tmp_path, f"{begin}{OPERATIONS}{LEFT}    {end}\n")
    with Receiver() as receiver:
        variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(path, variables, instrument=instrument)
    assert done.status == status
    assert outcomes(receiver) == {
        "chat m": INTERRUPTED,
        "invoke_agent planner": INTERRUPTED,
        "outer": INTERRUPTED,
    }
    ended = sorted(receiver.spans, key=lambda span: span.end_time_unix_nano)
    assert [span.name for span in ended] == ["chat m", "invoke_agent planner", "outer"]
    assert receiver.metric_names >= {"gen_ai.client.operation.duration"}


WAYS = """
    held = inference("held")
    held.hold_open = lambda: None
    held.end()

    held_stream = inference("held stream")
    held_stream.hold_open = lambda: None
    read_in_part = StreamProxy(iter("ab"), held_stream)
    next(read_in_part)

    claimed = ClaimedCall(telemetry, Operation.CHAT, model="claimed", sends_itself=True)
    unread = StreamProxy(iter("ab"), claimed)

    silent = ClaimedCall(telemetry, Operation.CHAT, model="never sent")
    not_sent = StreamProxy(iter("ab"), silent)

    def generate():
        yield "a"
        yield "b"

    generator = follow_generator(generate(), inference("generated"))
    next(generator)

    nothing = inference("discarded")
    span = nothing.span
    nothing.discard()
"""


def test_each_kind_of_open_operation_ends_with_its_outcome(tmp_path: Path) -> None:
    """An operation that is held open goes on elsewhere; one that was never sent is not reported."""
    path = script(tmp_path, OPERATIONS + WAYS)
    with Receiver() as receiver:
        done = instrumented(path, {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint})
    assert (done.status, done.err) == (0, "")
    assert outcomes(receiver) == {
        "chat held": NO_ERROR,
        "chat held stream": ABANDONED,
        "chat claimed": ABANDONED,
        "chat generated": ABANDONED,
    }


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_a_child_ends_its_own_open_spans_and_not_its_parents(tmp_path: Path, method: str) -> None:
    program = script(
        tmp_path,
        f"""
        import multiprocessing
        from opentelemetry import trace
        from otel_agents.distro import initialize

        initialize()
        tracer, kept = trace.get_tracer("t"), []

        def work():
            kept.append(tracer.start_span("child"))

        if __name__ == "__main__":
            parents = tracer.start_span("parent")
            process = multiprocessing.get_context({method!r}).Process(target=work)
            process.start()
            process.join()
            parents.end()
        """,
    )
    with Receiver() as receiver:
        variables = {"PYTHONWARNINGS": "ignore", "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint}
        done = instrumented(program, variables)
    assert (done.status, done.err) == (0, "")
    assert outcomes(receiver) == {"child": INTERRUPTED, "parent": NO_ERROR}
