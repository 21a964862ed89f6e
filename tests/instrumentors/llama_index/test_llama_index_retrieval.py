"""Retrievers and rerankers: what they search with, also where the model is in this process."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import pytest
from llama_index.core import Document, SummaryIndex
from llama_index.core.postprocessor import (
    LLMRerank,
    SentenceTransformerRerank,
    SimilarityPostprocessor,
)
from llama_index_parts import CHAT, EMBED, attributes, index

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

INGEST = ["ingest", f"  {EMBED}"]
SEARCH = ["retrieval", f"  {EMBED}"]


def test_a_retriever_alone(model: ScriptedModel, emission: Emission) -> None:
    nodes = index(model).as_retriever(similarity_top_k=1).retrieve("Which?")
    assert len(nodes) == 1
    assert emission.tree() == [*INGEST, *SEARCH]
    assert attributes(emission, "retrieval") == [
        {
            "gen_ai.operation.name": "retrieval",
            "gen_ai.request.model": "text-embedding-3-small",
            "gen_ai.retrieval.top_k": 1,
        }
    ]


def test_a_retriever_without_a_model(emission: Emission) -> None:
    SummaryIndex.from_documents([Document(text="red")]).as_retriever().retrieve("Which?")
    assert attributes(emission, "retrieval") == [{"gen_ai.operation.name": "retrieval"}]


def test_what_ranks_is_a_retrieval_and_what_filters_is_not(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script_by(lambda request: Response("Doc: 1, Relevance: 5"))
    processors = [SimilarityPostprocessor(similarity_cutoff=-5), LLMRerank(llm=llm, top_n=1)]
    engine = index(model).as_query_engine(llm=llm, node_postprocessors=processors)
    engine.query("Which?")
    assert emission.tree() == [
        *INGEST,
        "invoke_workflow",
        *[f"  {line}" for line in SEARCH],
        *["  retrieval", f"    {CHAT}"],
        f"  {CHAT}",
    ]


class CrossEncoder:
    """Stands for a model in this process, which needs no weights."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Load nothing."""

    def predict(self, pairs: list[Any]) -> list[float]:
        return [float(len(text)) for _, text in pairs]


def test_a_reranker_in_this_process(
    model: ScriptedModel, emission: Emission, monkeypatch: pytest.MonkeyPatch
) -> None:
    package: Any = ModuleType("sentence_transformers")
    package.CrossEncoder = CrossEncoder
    monkeypatch.setitem(sys.modules, "sentence_transformers", package)
    reranker = SentenceTransformerRerank(model="cross-1", top_n=1, device="cpu")
    nodes = index(model).as_retriever().retrieve("Which?")
    (best,) = reranker.postprocess_nodes(nodes, query_str="Which?")
    assert best.node.get_content() == "green"
    assert emission.tree() == [*INGEST, *SEARCH, "retrieval"]
    assert attributes(emission, "retrieval")[1] == {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.request.model": "cross-1",
        "gen_ai.retrieval.top_k": 1,
    }
