"""``RemoteGraph`` and LangGraph's own server, each with otel-agents: a trace on either side."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from instrumented import plain_environ, script
from otlp_receiver import Receiver, free_port

from otel_agents.instrumentors.langchain import LangChainInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting

pytest.importorskip("langgraph_api", reason="the server needs Python 3.11")

GRAPHS = """
    from typing import TypedDict
    from langgraph.graph import END, START, StateGraph
    from langgraph.types import interrupt

    class State(TypedDict):
        steps: list

    def first(state):
        return {"steps": ["there"]}

    def asks(state):
        return {"steps": [interrupt("planted-secret")]}

    def fails(state):
        raise ValueError("planted-secret")

    def graph(node):
        built = StateGraph(State)
        built.add_node(node.__name__, node)
        built.add_edge(START, node.__name__)
        built.add_edge(node.__name__, END)
        return built.compile()

    helper, asking, failing = graph(first), graph(asks), graph(fails)
"""
CONFIG = """
    {"dependencies": ["."], "graphs": {
        "helper": "./graphs.py:helper",
        "asking": "./graphs.py:asking",
        "failing": "./graphs.py:failing"
    }}
"""
EMPTY: Any = {"steps": []}
SECONDS = 60
STARTED: Any = [sys.executable, "-c", "from langgraph_cli.cli import cli; cli()", "dev"]


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    """Return what gets the server's telemetry."""
    with Receiver() as receiver:
        yield receiver


@pytest.fixture(scope="module")
def server(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Return the address of a server that runs under ``opentelemetry-instrument``."""
    folder = tmp_path_factory.mktemp("server")
    script(folder, GRAPHS, "graphs.py")
    script(folder, CONFIG, "langgraph.json")
    port = free_port()
    given = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": receiver.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "100",
        "LANGSMITH_TRACING": "false",
        "PYTHONWARNINGS": "ignore",
    }
    options = ["--no-browser", "--no-reload", "--host", "127.0.0.1", "--port", str(port)]
    command = [Path(sys.executable).with_name("opentelemetry-instrument"), *STARTED, *options]
    with subprocess.Popen(
        command,
        cwd=folder,
        env=plain_environ(given),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield reachable(f"http://127.0.0.1:{port}", process)
        finally:
            process.terminate()


def reachable(url: str, process: subprocess.Popen[bytes]) -> str:
    """Return ``url`` as soon as the server responds there."""
    deadline = time.monotonic() + SECONDS
    while process.poll() is None and time.monotonic() < deadline:
        with suppress(OSError), urllib.request.urlopen(f"{url}/ok", timeout=5):
            return url
        time.sleep(0.1)
    raise AssertionError("the server does not respond")


@pytest.fixture(autouse=True)
def instrumented(emission: Emission) -> Iterator[None]:
    """Instrument LangGraph here too."""
    with instrumenting(emission, LangChainInstrumentor()) as instrument:
        instrument()
        yield


@pytest.fixture
def remote(server: str) -> Iterator[Callable[[str], Any]]:
    """Return what makes a graph of the server by its name."""
    client = import_module("langgraph_sdk").get_sync_client(url=server)
    graph = import_module("langgraph.pregel.remote").RemoteGraph
    yield lambda name: graph(name, sync_client=client)
    client.http.client.close()


def within(part: Any) -> Any:
    """Return a graph whose only node is ``part``."""
    library: Any = import_module("langgraph.graph")
    built = library.StateGraph(dict)
    built.add_node("away", part)
    built.add_edge(library.START, "away")
    built.add_edge("away", library.END)
    return built.compile(name="here")


def arrived(receiver: Receiver, name: str) -> list[str]:
    """Return the names of the spans of the server's trace with a root of this name, once it is there."""
    deadline = time.monotonic() + SECONDS
    with receiver.arrived:
        while True:
            spans = list(receiver.spans)
            traces = [span.trace_id for span in spans if span.name == name]
            if traces:
                return sorted(span.name for span in spans if span.trace_id == traces[-1])
            assert receiver.arrived.wait(deadline - time.monotonic())


def attributes(emission: Emission, name: str) -> dict[str, Any]:
    (found,) = (span.attributes for span in emission.spans if span.name == name)
    return dict(found or {})


def test_a_run_is_a_step_here_and_a_workflow_there(
    remote: Callable[[str], Any], receiver: Receiver, emission: Emission
) -> None:
    assert within(remote("helper")).invoke(EMPTY)["steps"] == ["there"]
    assert emission.tree() == ["invoke_workflow here", "  remote_graph helper"]
    assert attributes(emission, "remote_graph helper") == {
        "otel_agents.step.type": "remote_graph",
        "otel_agents.step.number": 1,
    }
    assert arrived(receiver, "invoke_workflow helper") == ["invoke_workflow helper", "node first"]


def test_an_interrupt_is_no_error_on_either_side(
    remote: Callable[[str], Any], receiver: Receiver, emission: Emission
) -> None:
    result = remote("asking").invoke(EMPTY)
    assert result["__interrupt__"][0]["value"] == "planted-secret"
    assert attributes(emission, "remote_graph asking") == {
        "otel_agents.step.type": "remote_graph",
        "otel_agents.step.outcome": "interrupted",
    }
    assert emission.events == [("otel_agents.interrupt", {})]
    assert arrived(receiver, "invoke_workflow asking") == ["invoke_workflow asking", "node asks"]


def test_an_error_is_one_of_both_sides(
    remote: Callable[[str], Any], receiver: Receiver, emission: Emission
) -> None:
    with pytest.raises(Exception, match="planted-secret"):
        list(remote("failing").stream(EMPTY))
    found = attributes(emission, "remote_graph failing")
    assert found["error.type"] == "langgraph.pregel.remote.RemoteException"
    assert "planted-secret" not in emission.texts()
    assert arrived(receiver, "invoke_workflow failing") == ["invoke_workflow failing", "node fails"]
