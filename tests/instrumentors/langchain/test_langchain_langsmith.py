"""LangSmith's tracing beside ours is theirs, and leaves our trace whole."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from threading import Thread
from typing import Any

import pytest
from langchain_graphs import CHAT, State, compiled
from opentelemetry import trace
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel


@pytest.fixture
def langsmith() -> Any:
    """Return LangSmith's package, of a version that makes a span current in its functions."""
    if not hasattr(import_module("langsmith.run_helpers"), "_maybe_create_otel_context"):
        pytest.skip("before langsmith 0.4.2")
    return import_module("langsmith")


class Upload:
    """LangSmith's API on loopback, which counts what it gets."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length") or 0))
                owner.requests.append(self.path)
                self.send_response(202)
                self.send_header("content-length", "0")
                self.end_headers()

            do_PATCH = do_POST

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def upload() -> Iterator[Upload]:
    """Return where LangSmith uploads its runs."""
    upload = Upload()
    yield upload
    upload.close()


@pytest.fixture
def client(langsmith: Any, upload: Upload) -> Any:
    """Return a client that emits spans, to a provider of its own, and uploads at once."""
    return langsmith.Client(
        api_url=upload.url,
        api_key="none",
        info={},
        auto_batch_tracing=False,
        otel_enabled=True,
        otel_tracer_provider=TracerProvider(),
    )


@pytest.mark.usefixtures("instrumented")
def test_a_traceable_function_in_a_node_stays_in_the_trace(
    langsmith: Any, client: Any, llm: Any, emission: Emission, model: ScriptedModel
) -> None:
    @langsmith.traceable(client=client)
    def look_up(text: str) -> str:
        return str(llm.invoke(text).content)

    def node(state: State) -> dict[str, Any]:
        return {"messages": [("ai", look_up("hi"))]}

    with langsmith.tracing_context(enabled=True, client=client):
        compiled(node, name="g").invoke({"messages": [("user", "hi")]})
    assert emission.tree() == ["invoke_workflow g", "  node node", f"    {CHAT}"]
    assert emission.traces() == 1


@pytest.mark.usefixtures("instrumented")
def test_a_traceable_function_outside_of_runs_is_as_without_us(
    langsmith: Any, client: Any, emission: Emission
) -> None:
    @langsmith.traceable(client=client)
    def look_up() -> bool:
        return trace.get_current_span().get_span_context().is_valid

    with langsmith.tracing_context(enabled=True, client=client):
        assert look_up()
    assert emission.spans == ()


def exporting(langsmith: Any, upload: Upload, provider: TracerProvider) -> Any:
    """Return a client that uploads runs and emits spans to ``provider``."""
    return langsmith.Client(
        api_url=upload.url,
        api_key="none",
        info={},
        otel_enabled=True,
        otel_tracer_provider=provider,
    )


def run_traced(langsmith: Any, client: Any, llm: Any) -> None:
    """Run a graph in a function that LangSmith traces, and wait for its export."""

    def node(state: State) -> dict[str, Any]:
        return {"messages": [("ai", llm.invoke("hi").content)]}

    @langsmith.traceable(client=client)
    def traced() -> None:
        compiled(node, name="g").invoke({"messages": [("user", "hi")]})

    with langsmith.tracing_context(enabled=True, client=client):
        traced()
    client.cleanup()


OURS = ["invoke_workflow g", "  node node", f"    {CHAT}"]
ORDERS = pytest.mark.parametrize("earlier", [False, True], ids=["later", "earlier"])
"""Whether the client was made before LangChain was instrumented."""


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], list[str]]:
    """Return what reads the warnings about LangSmith."""
    return lambda: [text for text in caplog.messages if "LangSmith" in text]


@ORDERS
def test_spans_through_our_provider_are_dropped_and_the_upload_goes_on(
    earlier: bool,
    langsmith: Any,
    upload: Upload,
    instrument: Callable[..., None],
    llm: Any,
    emission: Emission,
    model: ScriptedModel,
    logged: Callable[[], list[str]],
) -> None:
    client = exporting(langsmith, upload, emission.tracer_provider) if earlier else None
    instrument()
    client = client or exporting(langsmith, upload, emission.tracer_provider)
    run_traced(langsmith, client, llm)
    assert emission.tree() == OURS
    assert emission.traces() == 1
    assert all(span.parent is None for span in emission.spans if "workflow" in span.name)
    assert upload.requests
    assert len(logged()) == 1
    assert len(model.ledger.wait(1, ended=True).entries) == 1


def anything_conforms(emission: Emission) -> None:
    """Check nothing: the spans are LangSmith's."""


@pytest.mark.parametrize("conforming", [pytest.param(anything_conforms, id="")])
def test_spans_are_kept_where_theirs_is_preferred(
    langsmith: Any,
    upload: Upload,
    instrument: Callable[..., None],
    llm: Any,
    emission: Emission,
    logged: Callable[[], list[str]],
) -> None:
    instrument(OTEL_AGENTS_PREFER="theirs")
    client = exporting(langsmith, upload, emission.tracer_provider)
    run_traced(langsmith, client, llm)
    names = {span.name for span in emission.spans}
    assert {"traced", "ChatOpenAI", CHAT} <= names
    assert not logged()


def test_spans_of_a_provider_of_its_own_are_theirs(
    langsmith: Any,
    upload: Upload,
    instrument: Callable[..., None],
    llm: Any,
    emission: Emission,
    logged: Callable[[], list[str]],
) -> None:
    instrument()
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    run_traced(langsmith, exporting(langsmith, upload, provider), llm)
    assert [line.strip() for line in emission.tree()] == [line.strip() for line in OURS]
    assert {"traced", "g", "ChatOpenAI"} <= {span.name for span in exporter.get_finished_spans()}
    assert not logged()
