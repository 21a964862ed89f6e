"""Retrievers, and the embeddings that they compute in a thread of their own."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib import import_module
from typing import Any

import pytest
from dspy_programs import CHAT, VERSION, dspy, fields
from packaging.version import Version

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import ScriptedModel

np: Any = pytest.importorskip("numpy")
pytestmark = pytest.mark.skipif(Version("2.6.27") > VERSION, reason="other retrievers")

EMBEDDINGS = "embeddings text-embedding-3-small"
CORPUS = ["Paris is in France.", "Rome is in Italy."]


def embedder(model: ScriptedModel, **options: Any) -> Any:
    return dspy.Embedder(
        "openai/text-embedding-3-small", api_base=model.openai_url, api_key="none", **options
    )


def directions(texts: list[str]) -> Any:
    """Return a vector for each text: of what is in France one, of all others another."""
    return np.array([[1.0, 0.0] if "France" in text else [0.0, 1.0] for text in texts])


def found(emission: Emission) -> dict[str, Any]:
    (span,) = (span for span in emission.spans if span.name == "retrieval")
    return dict(span.attributes or {})


@pytest.mark.usefixtures("instrumented")
def test_a_query_is_embedded_in_its_own_trace(model: ScriptedModel, emission: Emission) -> None:
    """The thread that embeds is started with the retriever, not with the query."""
    with emission.tracer_provider.get_tracer("test").start_as_current_span("start up"):
        retriever = dspy.retrievers.Embeddings(CORPUS, embedder(model, caching=False), k=1)

    class Rag(dspy.Module):
        def __init__(self) -> None:
            dspy.Module.__init__(self)
            self.reply = dspy.Predict("context, topic -> reply")

        def forward(self, topic: str) -> Any:
            return self.reply(context=retriever(topic).passages, topic=topic)

    model.script(*(fields(reply="Paris") for _ in range(3)))
    Rag()(topic="q")
    assert emission.tree() == [
        *("start up", f"  {EMBEDDINGS}"),
        "invoke_workflow Rag",
        *("  retrieval", f"    {EMBEDDINGS}"),
        *("  predict context, topic -> reply", f"    {CHAT}"),
    ]
    assert emission.traces() == 2


@pytest.mark.usefixtures("instrumented")
def test_queries_of_several_threads(emission: Emission) -> None:
    """They may be one batch, whose context is that of one of them."""
    tracer = emission.tracer_provider.get_tracer("test")
    barrier = threading.Barrier(3)

    def embedded(texts: list[str]) -> Any:
        with tracer.start_as_current_span("embed"):
            return directions(texts)

    retriever = dspy.retrievers.Embeddings(CORPUS, embedded, k=1)

    def search() -> None:
        barrier.wait()
        retriever("Where is France?")

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    lines = emission.tree()
    assert lines[0] == "embed"  # of the corpus
    assert lines.count("retrieval") == 3
    assert set(lines[1:]) == {"retrieval", "  embed"}


@pytest.mark.usefixtures("instrumented")
def test_the_same_query_in_two_batches(emission: Emission) -> None:
    """Both threads hold the same string; the second queues it while the first one waits."""
    tracer = emission.tracer_provider.get_tracer("test")
    started, gate = threading.Event(), threading.Event()

    def embedded(texts: list[str]) -> Any:
        with tracer.start_as_current_span("embed"):
            if len(texts) == 1:
                started.set()
                assert gate.wait(30)
            return directions(texts)

    retriever = dspy.retrievers.Embeddings(CORPUS, embedded, k=1)
    threads = [threading.Thread(target=retriever, args=("Where is France?",)) for _ in range(2)]
    threads[0].start()
    assert started.wait(30)
    threads[1].start()
    queue = retriever.search_fn.input_queue
    while not queue.qsize():
        time.sleep(0.001)
    gate.set()
    for thread in threads:
        thread.join()
    assert emission.tree() == ["embed", *("retrieval", "  embed") * 2]


@pytest.mark.usefixtures("with_content")
def test_embeddings_with_scores(emission: Emission) -> None:
    retrievers: Any = dspy.retrievers
    if not hasattr(retrievers, "EmbeddingsWithScores"):
        pytest.skip("came later")
    retrievers.EmbeddingsWithScores(CORPUS, directions, k=2)("Where is France?")
    attributes = found(emission)
    attributes["gen_ai.retrieval.documents"] = json.loads(attributes["gen_ai.retrieval.documents"])
    assert attributes == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.top_k": 2,
        "gen_ai.retrieval.query.text": "Where is France?",
        "gen_ai.retrieval.documents": [
            {"id": "0", "score": 1.0, "content": CORPUS[0]},
            {"id": "1", "score": 0.0, "content": CORPUS[1]},
        ],
    }


@pytest.mark.usefixtures("instrumented")
def test_an_embedder_that_fails(emission: Emission) -> None:
    retriever = dspy.retrievers.Embeddings(CORPUS, directions, k=1)

    def broken(texts: list[str]) -> Any:
        raise LookupError("secret")

    retriever.embedder = broken
    with pytest.raises(LookupError):
        retriever("q")
    assert found(emission)["error.type"] == "LookupError"
    assert "secret" not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_an_embedder_reports_what_it_sent(model: ScriptedModel, emission: Emission) -> None:
    hosted = embedder(model, caching=True)
    for _ in range(2):
        hosted(["one", "two"], batch_size=1)
    dspy.Embedder(directions)(["one"])
    tokens = [(span.attributes or {})["gen_ai.usage.input_tokens"] for span in emission.spans]
    assert tokens == [entry.input_tokens for entry in model.ledger.entries]
    assert emission.tree() == [EMBEDDINGS] * 2


class Colbert(BaseHTTPRequestHandler):
    """Finds two passages, as ColBERT's server."""

    def do_GET(self) -> None:
        passages = [
            {"pid": 7, "rank": 1, "score": 20.5, "prob": 0.7, "text": CORPUS[0]},
            {"pid": 8, "rank": 2, "score": 18.5, "prob": 0.3, "text": CORPUS[1]},
        ]
        body = json.dumps({"topk": passages}).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: Any) -> None: ...


@contextmanager
def colbert() -> Generator[int]:
    with HTTPServer(("127.0.0.1", 0), Colbert) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


@pytest.mark.usefixtures("with_content")
def test_colbert(emission: Emission) -> None:
    with colbert() as port:
        dspy.ColBERTv2(url="http://127.0.0.1", port=port)("Where is France?", k=2)
    attributes = found(emission)
    attributes["gen_ai.retrieval.documents"] = json.loads(attributes["gen_ai.retrieval.documents"])
    assert attributes == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.retrieval.top_k": 2,
        "gen_ai.retrieval.query.text": "Where is France?",
        "gen_ai.retrieval.documents": [
            {"id": "7", "score": 20.5, "content": CORPUS[0]},
            {"id": "8", "score": 18.5, "content": CORPUS[1]},
        ],
        "server.address": "127.0.0.1",
        "server.port": port,
    }


@pytest.mark.usefixtures("instrumented")
def test_a_retriever_over_colbert_is_one_search(emission: Emission) -> None:
    with colbert() as port:
        rm = dspy.ColBERTv2(url="http://127.0.0.1", port=port)
        with dspy.context(rm=rm):
            dspy.Retrieve(k=2)("Where is Italy?")
    assert emission.tree() == ["retrieval"]
    assert found(emission)["gen_ai.retrieval.top_k"] == 2


def test_a_batch_without_us_is_as_before(
    instrument: Callable[..., None], emission: Emission
) -> None:
    """The thread of a retriever that was made before keeps what it was started with."""
    retriever = dspy.retrievers.Embeddings(CORPUS, directions, k=1)
    instrument()
    assert retriever("Where is France?").passages == [CORPUS[0]]
    assert emission.tree() == ["retrieval"]
    unbatchify: Any = import_module("dspy.utils.unbatchify").Unbatchify

    def counted(batch: Sequence[int]) -> list[int]:
        return [len(batch)]

    assert unbatchify(counted)(1) == 1
