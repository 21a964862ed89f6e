"""The requests that are recorded: which operation each starts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.bedrock.bodies import format_of, is_embedding, json_object
from otel_agents.instrumentors._dialects.bedrock.converse import CONVERSE
from otel_agents.instrumentors._dialects.bedrock.retrieval import agent_query, top_k
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, field, items, text
from otel_agents.semconv import attributes as attr

from ._operations import BedrockEmbedding, BedrockGeneration, BedrockRetrieval, Server

__all__ = ["RUNTIME", "STARTS"]

RUNTIME: Final = "bedrock-runtime"
_AGENT_RUNTIME: Final = "bedrock-agent-runtime"
_BODY: Final = "body"
_STREAM: Final = "stream"
_IN_PROMPT: Final = ":prompt/"
_PROMPT: Final = re.compile(rf"{_IN_PROMPT}(?P<name>[^:]+)(?::(?P<version>.+))?$")
"""The end of the ARN of a prompt, which takes the place of a model's id."""


def _converse(
    telemetry: Telemetry, request: Body, server: Server, *, held: str | None = None
) -> Operation:
    model = text(request, "modelId")
    generation = BedrockGeneration(telemetry, CONVERSE, request, model, server, held=held)
    prompt = _PROMPT.search(model) if model is not None and _IN_PROMPT in model else None
    if prompt is not None:
        generation.attributes[attr.GEN_AI_PROMPT_NAME] = prompt["name"]
        if prompt["version"]:
            generation.attributes[attr.GEN_AI_PROMPT_VERSION] = prompt["version"]
    if held is not None:
        generation.attributes[attr.GEN_AI_REQUEST_STREAM] = True
    return generation


def _invoke(
    telemetry: Telemetry, request: Body, server: Server, *, streamed: bool = False
) -> Operation:
    model, body = text(request, "modelId"), json_object(request.get(_BODY))
    operation: Operation
    if not streamed and is_embedding(model or "", body):
        operation = BedrockEmbedding(telemetry, body, model, server)
    else:
        wire_format = format_of(model or "", body)
        operation = BedrockGeneration(telemetry, wire_format, body, model, server, held=_BODY)
        guardrail = text(request, "guardrailIdentifier")
        if guardrail is not None:
            operation.attributes[attr.AWS_BEDROCK_GUARDRAIL_ID] = guardrail
    if streamed:
        operation.attributes[attr.GEN_AI_REQUEST_STREAM] = True
    return operation


def _retrieve(telemetry: Telemetry, request: Body, server: Server) -> Operation:
    knowledge_base = text(request, "knowledgeBaseId")
    retrieval = BedrockRetrieval(telemetry, knowledge_base, None, server)
    _record_query(retrieval, request, request.get("retrievalQuery"))
    return retrieval


def _retrieve_and_generate(
    telemetry: Telemetry, request: Body, server: Server, *, held: str | None = None
) -> Operation:
    config = as_mapping(request.get("retrieveAndGenerateConfiguration"))
    queried = as_mapping(config.get("knowledgeBaseConfiguration"))
    settings = queried or as_mapping(config.get("externalSourcesConfiguration"))
    knowledge_base, model = text(queried, "knowledgeBaseId"), text(settings, "modelArn")
    retrieval = BedrockRetrieval(telemetry, knowledge_base, model, server, held=held)
    _record_query(retrieval, queried, request.get("input"))
    return retrieval


def _retrieve_by_agent(telemetry: Telemetry, request: Body, server: Server) -> Operation:
    """Start a retrieval whose queries a model chooses, maybe for several knowledge bases."""
    queried, model = agent_query(request)
    knowledge_base = text(queried, "knowledgeBaseId")
    retrieval = BedrockRetrieval(telemetry, knowledge_base, model, server, held=_STREAM)
    messages = list(items(request, "messages"))
    _record_query(retrieval, queried, field(messages[-1], "content") if messages else None)
    return retrieval


def _record_query(retrieval: Operation, request: Body, query: Any) -> None:
    count = top_k(request)
    if count is not None:
        retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = count
    retrieval.content.retrieval_query = text(query, "text")


STARTS: Final[Mapping[tuple[str, str], Callable[[Telemetry, Body, Server], Operation]]] = (
    MappingProxyType(
        {
            (RUNTIME, "Converse"): _converse,
            (RUNTIME, "ConverseStream"): partial(_converse, held=_STREAM),
            (RUNTIME, "InvokeModel"): _invoke,
            (RUNTIME, "InvokeModelWithResponseStream"): partial(_invoke, streamed=True),
            (_AGENT_RUNTIME, "Retrieve"): _retrieve,
            (_AGENT_RUNTIME, "RetrieveAndGenerate"): _retrieve_and_generate,
            (_AGENT_RUNTIME, "RetrieveAndGenerateStream"): partial(
                _retrieve_and_generate, held=_STREAM
            ),
            (_AGENT_RUNTIME, "AgenticRetrieveStream"): _retrieve_by_agent,
        }
    )
)
"""By service and operation, as AWS names them."""
