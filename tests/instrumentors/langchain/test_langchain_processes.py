"""Processes that end, fork or start threads in the middle of a graph: what ran is delivered, once."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import Any

import pytest
from instrumented import instrumented, running, script
from otlp_receiver import Receiver

GRAPH = """
    import asyncio, multiprocessing, threading, time
    from typing import TypedDict
    from langchain_core.tools import tool
    from langgraph.graph import END, START, StateGraph

    class State(TypedDict):
        steps: list

    @tool
    def add(a: int, b: int) -> int:
        "Add."
        return a + b

    def first(state):
        return {"steps": ["first"]}

    def waiting(state):
        print("ready", flush=True)
        time.sleep(60)

    async def waiting_later(state):
        print("ready", flush=True)
        await asyncio.sleep(60)

    def work():
        add.invoke({"a": 1, "b": 2})

    def forking(state):
        process = multiprocessing.get_context("fork").Process(target=work)
        process.start()
        process.join()
        print(process.exitcode, flush=True)
        return {"steps": ["forking"]}

    def threading_off(state):
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
        print(0, flush=True)
        return {"steps": ["threading"]}

    def run(name, body):
        graph = StateGraph(State)
        graph.add_node("first", first)
        graph.add_node(name, body)
        graph.add_edge(START, "first")
        graph.add_edge("first", name)
        graph.add_edge(name, END)
        return graph.compile()

"""
SYNC = 'run("second", waiting).invoke({"steps": []})'
ASYNC = 'asyncio.run(run("second", waiting_later).ainvoke({"steps": []}))'
STREAMED = 'list(run("second", waiting).stream({"steps": []}))'
TIMES = {"OTEL_AGENTS_EXIT_TIMEOUT": "30", "OTEL_AGENTS_SIGNAL_TIMEOUT": "30"}
"""Generous: other tests check how long an end takes."""


def program(folder: Path, end: str) -> Path:
    return script(folder, f"{GRAPH}    {end}\n")


def variables(receiver: Receiver) -> dict[str, str]:
    given = {"OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint, "PYTHONWARNINGS": "ignore"}
    return {**TIMES, **given}


def spans(receiver: Receiver) -> dict[str, Any]:
    """Return what arrived by name; each span arrived once."""
    found = {span.name: span for span in receiver.spans}
    assert len(found) == len(list(receiver.spans))
    return found


def error(span: Any) -> str | None:
    found = (one.value.string_value for one in span.attributes if one.key == "error.type")
    return next(found, None)


@pytest.mark.parametrize("end", [SYNC, ASYNC, STREAMED], ids=["sync", "async", "stream"])
def test_sigterm_in_a_node_delivers_the_running_graph(tmp_path: Path, end: str) -> None:
    with (
        Receiver() as receiver,
        running(program(tmp_path, end), variables(receiver), installed=True) as process,
    ):
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.terminate()
        process.communicate(timeout=60)
        assert process.returncode == -signal.SIGTERM
    found = spans(receiver)
    assert {name: error(span) for name, span in found.items()} == {
        "node first": None,
        "node second": "interrupted",
        "invoke_workflow": "interrupted",
    }
    root = found["invoke_workflow"]
    assert {span.parent_span_id for span in found.values()} == {b"", root.span_id}


@pytest.mark.parametrize("body", ["forking", "threading_off"])
def test_what_a_child_or_a_thread_of_a_node_runs_is_below_the_node(
    tmp_path: Path, body: str
) -> None:
    end = f'run("second", {body}).invoke({{"steps": []}})'
    with Receiver() as receiver:
        done = instrumented(program(tmp_path, end), variables(receiver), installed=True)
    assert (done.status, done.out) == (0, "0\n")
    found = spans(receiver)
    assert {name: error(span) for name, span in found.items()} == dict.fromkeys(
        ["node first", "node second", "invoke_workflow", "execute_tool add"]
    )
    assert found["execute_tool add"].parent_span_id == found["node second"].span_id
    assert len({span.trace_id for span in found.values()}) == 1
