"""Retrievers, rerankers and stores."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest
from langchain_core.callbacks import Callbacks
from langchain_core.documents import BaseDocumentCompressor, Document
from langchain_core.embeddings import DeterministicFakeEmbedding
from langchain_core.prompts import ChatPromptTemplate
from langchain_core.retrievers import BaseRetriever
from langchain_core.runnables import RunnablePassthrough
from langchain_graphs import CHAT, CORE, LANGGRAPH, State, attributes, compiled
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import SpanKind
from packaging.version import Version

from otel_agents.testing.emission import Emission

DOCUMENTS = [Document("planted-secret one", id="d-1"), Document("planted-secret two", id="d-2")]


class Own(BaseRetriever):
    """A retriever of the application's."""

    def _get_relevant_documents(self, query: str, *, run_manager: Any) -> list[Document]:
        return DOCUMENTS


class First(BaseDocumentCompressor):
    """A reranker that keeps the first documents."""

    top_n: int = 1

    def compress_documents(
        self, documents: Sequence[Document], query: str, callbacks: Callbacks = None
    ) -> Sequence[Document]:
        return documents[: self.top_n]


def store_of_vectors() -> Any:
    name = "langchain_core.vectorstores"
    vectors: Any = import_module(name)
    store = vectors.InMemoryVectorStore(DeterministicFakeEmbedding(size=4))
    store.add_documents(DOCUMENTS)
    return store


WITH_VECTORS = pytest.mark.skipif(Version("0.2.12") > CORE, reason="no vector store in memory")


@pytest.mark.usefixtures("instrumented")
def test_a_retriever_is_below_its_chain(llm: Any, emission: Emission) -> None:
    prompt = ChatPromptTemplate.from_messages([("human", "{context} {question}")])
    found: Any = {"context": Own(), "question": RunnablePassthrough[str]()}
    (found | prompt | llm).invoke("planted-secret?")
    assert emission.tree() == ["invoke_workflow", "  retrieval", f"  {CHAT}"]
    assert attributes(emission, "retrieval") == [{"gen_ai.operation.name": "retrieval"}]
    (span,) = (span for span in emission.spans if span.name == "retrieval")
    assert span.kind is SpanKind.CLIENT
    assert "planted-secret" not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_retriever_with_a_name(emission: Emission) -> None:
    Own().invoke("?", {"run_name": "manuals"})
    assert attributes(emission, "retrieval manuals") == [
        {"gen_ai.operation.name": "retrieval", "gen_ai.data_source.id": "manuals"}
    ]


@WITH_VECTORS
@pytest.mark.usefixtures("with_content")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_vector_store_knows_how_many_documents(
    asynchronous: bool, loop: Any, emission: Emission
) -> None:
    retriever = store_of_vectors().as_retriever(search_kwargs={"k": 1})
    if asynchronous:
        loop.run_until_complete(retriever.ainvoke("planted-secret?"))
    else:
        retriever.invoke("planted-secret?")
    (found,) = attributes(emission, "retrieval")
    assert found["gen_ai.retrieval.top_k"] == 1
    assert found["gen_ai.retrieval.query.text"] == "planted-secret?"
    assert '"content": "planted-secret' in found["gen_ai.retrieval.documents"].replace(
        '":"', '": "'
    )


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_reranker_is_a_retrieval(asynchronous: bool, loop: Any, emission: Emission) -> None:
    if asynchronous:
        kept = loop.run_until_complete(First().acompress_documents(DOCUMENTS, "?"))
    else:
        kept = First().compress_documents(DOCUMENTS, "?")
    assert list(kept) == DOCUMENTS[:1]
    assert attributes(emission, "retrieval") == [
        {"gen_ai.operation.name": "retrieval", "gen_ai.retrieval.top_k": 1}
    ]
    assert "planted-secret" not in emission.texts()


@pytest.mark.skipif(find_spec("langchain_classic") is None, reason="langchain 1.0 moved it there")
@pytest.mark.usefixtures("instrumented")
def test_a_reranking_retriever(emission: Emission) -> None:
    retrievers: Any = import_module("langchain_classic.retrievers")
    retrievers.ContextualCompressionRetriever(base_compressor=First(), base_retriever=Own()).invoke(
        "?"
    )
    assert emission.tree() == ["retrieval", "  retrieval", "  retrieval"]


# Stores.

STORES = pytest.mark.skipif(Version("0.2.40") > LANGGRAPH, reason="no store that is searched")
NAMESPACE = ("users", "planted-secret")


MORE: dict[str, Any] = {"put": {"key": "k", "value": {}}}


def broken(store: Any, operations: Any) -> Any:
    raise OSError("planted-secret")


def failed(emission: Emission) -> list[ReadableSpan]:
    return [span for span in emission.spans if "error.type" in (span.attributes or {})]


def in_memory() -> Any:
    return import_module("langgraph.store.memory").InMemoryStore()


@STORES
@pytest.mark.usefixtures("instrumented")
def test_a_store_is_a_memory(emission: Emission) -> None:
    store = in_memory()

    def remember(state: State) -> Any:
        store.put(NAMESPACE, "k-1", {"text": "planted-secret"})
        store.get(NAMESPACE, "k-1")
        store.get(NAMESPACE, "none")
        store.search(NAMESPACE, query="planted-secret?")
        store.list_namespaces()
        store.delete(NAMESPACE, "k-1")
        return {"steps": []}

    compiled(remember).invoke({"steps": []})
    names = ["upsert_memory", "search_memory", "search_memory", "search_memory", "delete_memory"]
    assert emission.tree() == [
        "invoke_workflow",
        "  node remember",
        *(f"    {name}" for name in names),
    ]
    assert attributes(emission, "search_memory") == [
        {
            "gen_ai.operation.name": "search_memory",
            "gen_ai.memory.record.id": "k-1",
            "gen_ai.memory.record.count": 1,
        },
        {
            "gen_ai.operation.name": "search_memory",
            "gen_ai.memory.record.id": "none",
            "gen_ai.memory.record.count": 0,
        },
        {"gen_ai.operation.name": "search_memory", "gen_ai.memory.record.count": 1},
    ]
    assert attributes(emission, "delete_memory") == [
        {"gen_ai.operation.name": "delete_memory", "gen_ai.memory.record.id": "k-1"}
    ]
    assert "planted-secret" not in emission.texts()


@STORES
@pytest.mark.usefixtures("with_content")
def test_an_async_store_with_content(loop: Any, emission: Emission) -> None:
    store = in_memory()

    async def remember() -> None:
        await store.aput(NAMESPACE, "k-1", {"text": "sunny"})
        await store.asearch(NAMESPACE, query="weather?")

    loop.run_until_complete(remember())
    (written,) = attributes(emission, "upsert_memory")
    assert written["gen_ai.memory.records"] == '[{"id":"k-1","content":{"text":"sunny"}}]'
    (searched,) = attributes(emission, "search_memory")
    assert searched["gen_ai.memory.query.text"] == "weather?"
    assert searched["gen_ai.memory.record.count"] == 1


@STORES
@pytest.mark.parametrize("way", ["put", "get", "search"])
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_a_store_has_one_event(way: str, emission: Emission) -> None:
    base = import_module("langgraph.store.memory").InMemoryStore
    store = type("Broken", (base,), {"batch": broken})()

    def remember(state: State) -> Any:
        getattr(store, way)(NAMESPACE, *(["k"] if way == "get" else []), **MORE.get(way, {}))

    with pytest.raises(OSError, match="planted-secret"):
        compiled(remember).invoke({"steps": []})
    assert [span.name for span in failed(emission)] == [
        "upsert_memory" if way == "put" else "search_memory",
        "node remember",
        "invoke_workflow",
    ]
    (event,) = emission.logs
    memory = failed(emission)[0].context
    assert memory is not None
    assert event.log_record.span_id == memory.span_id
    assert "planted-secret" not in emission.texts()
