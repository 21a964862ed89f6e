"""Knowledge bases: each query is a retrieval."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bedrock_calls import HAS_AIOBOTOCORE, HAS_CONVERSE, client_of, run_async
from botocore.exceptions import ClientError
from opentelemetry.trace import SpanKind

from otel_agents.instrumentors import hosting
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

SERVICE = "bedrock-agent-runtime"
MODEL = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
NUMBER: dict[str, Any] = {
    "retrievalConfiguration": {"vectorSearchConfiguration": {"numberOfResults": 3}}
}
QUERY: dict[str, Any] = {
    "knowledgeBaseId": "KB12345678",
    "retrievalQuery": {"text": "planted-query"},
    **NUMBER,
}
CONFIGURATION: dict[str, Any] = {
    "type": "KNOWLEDGE_BASE",
    "knowledgeBaseConfiguration": {
        "knowledgeBaseId": "KB12345678",
        "modelArn": MODEL,
        **(NUMBER if HAS_CONVERSE else {}),  # boto3 1.33 has it in a query alone
    },
}
GENERATED: dict[str, Any] = {
    "input": {"text": "planted-query"},
    "retrieveAndGenerateConfiguration": CONFIGURATION,
}
DOCUMENT = {"id": "s3://weather/today.txt", "content": "Look outside."}


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[Any]:
    client = client_of(model.base_url, SERVICE)
    yield client
    client.close()


def expected(model: ScriptedModel, **changes: Any) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "retrieval",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.data_source.id": "KB12345678",
        "gen_ai.retrieval.top_k": 3,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }
    return {**attributes, **changes}


@pytest.mark.usefixtures("instrumented")
def test_a_query(client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script("planted-document")
    client.retrieve(**QUERY)
    span = emission.span
    assert (span.name, span.kind) == ("retrieval KB12345678", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == expected(model)
    assert "planted" not in emission.texts()


@pytest.mark.skipif(not HAS_AIOBOTOCORE, reason="without aiobotocore")
@pytest.mark.usefixtures("instrumented")
def test_a_query_by_aiobotocore(model: ScriptedModel, emission: Emission) -> None:
    run_async(model.base_url, lambda client: client.retrieve(**QUERY), SERVICE)
    assert dict(emission.span.attributes or {}) == expected(model)


def test_the_documents_of_a_query(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    model.script("Look outside.")
    client.retrieve(**QUERY)
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.retrieval.query.text"] == "planted-query"
    documents = json.loads(str(attributes["gen_ai.retrieval.documents"]))
    assert documents == [{**DOCUMENT, "score": 0.5}]


def generate(client: Any) -> None:
    client.retrieve_and_generate(**GENERATED)


def generate_stream(client: Any) -> None:
    list(client.retrieve_and_generate_stream(**GENERATED)["stream"])


@pytest.mark.parametrize("send", [generate] + [generate_stream] * HAS_CONVERSE)
def test_a_response_that_is_generated_from_documents(
    send: Callable[..., None],
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    with_content: None,
) -> None:
    send(client)
    attributes = dict(emission.span.attributes or {})
    documents = json.loads(str(attributes.pop("gen_ai.retrieval.documents")))
    assert documents == [DOCUMENT]
    assert attributes.pop("gen_ai.retrieval.top_k", None) == (3 if HAS_CONVERSE else None)
    whole = expected(
        model,
        **{
            "gen_ai.request.model": MODEL,
            "gen_ai.retrieval.query.text": "planted-query",
        },
    )
    del whole["gen_ai.retrieval.top_k"]
    assert attributes == whole


@pytest.mark.skipif(not HAS_CONVERSE, reason="boto3 1.33 has no agentic retrieval")
def test_a_retrieval_by_an_agent(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    model.script("Look outside.")
    knowledge_base = {
        "knowledgeBaseId": "KB12345678",
        "retrievalOverrides": {"maxNumberOfResults": 3},
    }
    chosen = {"modelConfiguration": {"modelArn": MODEL}}
    response = client.agentic_retrieve_stream(
        messages=[{"role": "user", "content": {"text": "planted-query"}}],
        retrievers=[{"configuration": {"knowledgeBase": knowledge_base}}],
        agenticRetrieveConfiguration={
            "foundationModelType": "CUSTOM",
            "foundationModelConfiguration": {
                "type": "BEDROCK_FOUNDATION_MODEL",
                "bedrockFoundationModelConfiguration": chosen,
            },
        },
    )
    list(response["stream"])
    attributes = dict(emission.span.attributes or {})
    documents = json.loads(str(attributes.pop("gen_ai.retrieval.documents")))
    assert documents == [{"content": "Look outside."}]
    query = {"gen_ai.request.model": MODEL, "gen_ai.retrieval.query.text": "planted-query"}
    assert attributes == expected(model, **query)


@pytest.mark.skipif(not HAS_CONVERSE, reason="boto3 1.33 has no such stream")
@pytest.mark.usefixtures("instrumented")
def test_a_stream_that_is_closed_is_abandoned(client: Any, emission: Emission) -> None:
    stream = client.retrieve_and_generate_stream(**GENERATED)["stream"]
    next(iter(stream))
    stream.close()
    hosting.drain_streams(5)
    assert (emission.span.attributes or {})["otel_agents.stream.abandoned"] is True


@pytest.mark.usefixtures("instrumented")
def test_a_query_that_fails(client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(404, message="planted-secret"))
    with pytest.raises(ClientError):
        client.retrieve(**QUERY)
    assert (emission.span.attributes or {})["error.type"] == "ResourceNotFoundException"
    assert "planted" not in emission.texts()
