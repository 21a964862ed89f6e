"""Instrumentor for Amazon Bedrock, by boto3, botocore and aiobotocore."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.util import find_spec
from typing import TYPE_CHECKING

from otel_agents.instrumentors._core.patching.instrumentor import AgentInstrumentor

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.patching.patches import Patch

__all__ = ["BedrockInstrumentor"]


class BedrockInstrumentor(AgentInstrumentor):
    """Record what botocore's clients of Bedrock send to models and knowledge bases; no other call.

    Example:
        >>> from otel_agents.instrumentors.bedrock import BedrockInstrumentor
        >>> instrumentor = BedrockInstrumentor()
        >>> instrumentor.instrument()  # before or after the import of boto3
        >>> # each request that a client sends to a model is a span from here on
        >>> instrumentor.uninstrument()
    """

    plain_name = "bedrock"
    requires = ("botocore >= 1.33, < 2",)
    packages = ("botocore", "aiobotocore")
    conflicting = (
        "opentelemetry-instrumentation-genai-bedrock",
        "opentelemetry-instrumentation-bedrock",
        "openinference-instrumentation-bedrock",
    )
    own_telemetry = "opentelemetry-instrumentation-botocore for model calls"
    covers = (
        "Converse, InvokeModel, their streams, embeddings, images",
        "bodies of Anthropic, Amazon, Meta, Mistral, Cohere, AI21, DeepSeek, OpenAI and others",
        "guardrails, knowledge bases (Retrieve, RetrieveAndGenerate, agentic retrieval)",
        "boto3 and aiobotocore",
    )

    def patches(self) -> Iterable[Patch]:
        """Yield the methods that every request of botocore and of aiobotocore passes through.

        And the official instrumentation's, whose spans of the same calls ours replace.
        """
        from otel_agents.instrumentors._core.calls.watching import instead
        from otel_agents.instrumentors._core.patching.patches import Patch

        from ._calls import api_call, for_operations, operation_name
        from ._official import MODULE, call_context
        from ._sending import SENDING

        for client in ("botocore.client:BaseClient", "aiobotocore.client:AioBaseClient"):
            yield Patch(f"{client}._make_api_call", for_operations(operation_name, api_call))
            yield Patch(f"{client}._convert_to_request_dict", SENDING)
        if find_spec(MODULE) is not None:
            yield Patch(f"{MODULE}:_determine_call_context", instead(call_context))
