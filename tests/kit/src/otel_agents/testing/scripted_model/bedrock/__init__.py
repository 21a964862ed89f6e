"""Amazon Bedrock: the Converse API, the models' own bodies, and knowledge bases."""

from __future__ import annotations

import re
from functools import partial

from otel_agents.testing.scripted_model.bedrock import converse, invoke, knowledge_bases
from otel_agents.testing.scripted_model.dialect import Endpoint
from otel_agents.testing.scripted_model.ledger import Kind

_endpoint = partial(Endpoint, "POST", error=converse.error_status, event_error=converse.error_event)


def _model(method: str, name: str = "[^/]+") -> re.Pattern[str]:
    return re.compile(f"^/model/(?P<model>{name})/{method}$")


def _knowledge_base(path: str) -> re.Pattern[str]:
    return re.compile(f"^/{path}$")


# The first matching row wins: what a model generates is a part of its name.
ENDPOINTS: tuple[Endpoint, ...] = (
    *(
        _endpoint(
            _model(method),
            "converse",
            Kind.INFERENCE,
            converse.write,
            converse.read,
            streamed=streamed,
        )
        for method, streamed in (("converse", False), ("converse-stream", True))
    ),
    _endpoint(
        _model("invoke", "[^/]*embed[^/]*"),
        "invoke_model",
        Kind.EMBEDDINGS,
        invoke.write_embeddings,
        invoke.read,
    ),
    _endpoint(
        _model("invoke", "[^/]*(?:image|canvas)[^/]*"),
        "invoke_model",
        Kind.IMAGE,
        invoke.write,
        invoke.read,
    ),
    *(
        _endpoint(
            _model(method),
            "invoke_model",
            Kind.INFERENCE,
            invoke.write,
            invoke.read,
            streamed=streamed,
        )
        for method, streamed in (("invoke", False), ("invoke-with-response-stream", True))
    ),
    _endpoint(
        _knowledge_base("knowledgebases/(?P<id>[^/]+)/retrieve"),
        "retrieve",
        Kind.OTHER,
        knowledge_bases.write_retrieved,
        knowledge_bases.read,
    ),
    *(
        _endpoint(
            _knowledge_base(path),
            "retrieve_and_generate",
            Kind.OTHER,
            knowledge_bases.write_generated,
            knowledge_bases.read,
            streamed=streamed,
        )
        for path, streamed in (("retrieveAndGenerate", False), ("retrieveAndGenerateStream", True))
    ),
    _endpoint(
        _knowledge_base("agenticRetrieveStream"),
        "agentic_retrieve",
        Kind.OTHER,
        knowledge_bases.write_found_by_agent,
        knowledge_bases.read,
        streamed=True,
    ),
)
