"""The instrumentation scopes of libraries that are known to emit GenAI telemetry."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from otel_agents.semconv import attributes as attr

from .repairs import Repair
from .vendors import (
    AGENT_FRAMEWORK,
    GOOGLE_ADK,
    GOOGLE_GENAI,
    HAYSTACK,
    LANGFUSE,
    LANGSMITH,
    LITELLM,
    LOGFIRE,
    MLFLOW,
    OPENINFERENCE,
    OPENLLMETRY,
    STRANDS,
    VENDORS,
)
from .vocabularies import CONVENTIONS, DESCRIPTIONS, Vocabulary

__all__ = ["OURS", "SCOPES", "SCOPES_WITHOUT_CONTENT", "Scope", "scope_named"]


@dataclass(frozen=True, eq=False)
class Scope:
    """The scope of a library, or all those below a name.

    Example:
        >>> {scope.name: scope for scope in SCOPES}["openinference.instrumentation.*"].library
        'OpenInference'

    Attributes:
        library: The library, for messages.
        name: The name of the scope; ``x.*`` for ``x`` and what is below it, as ``x.y``.
        vocabularies: The names that it uses.
        repair: What its spans need; None for nothing.
        name_ends: Ends of span names before which the library puts a prompt.
    """

    library: str
    name: str
    vocabularies: tuple[Vocabulary, ...]
    repair: Repair | None = None
    name_ends: tuple[str, ...] = ()


def _scope(
    library: str,
    name: str,
    *vocabularies: Vocabulary,
    repair: Repair | None = None,
    name_ends: tuple[str, ...] = (),
) -> Scope:
    used = (CONVENTIONS, DESCRIPTIONS, *vocabularies)
    return Scope(library, name, used, repair, name_ends)


_SPELLINGS: Final = Repair()
_OPENLLMETRY_LIBRARIES: Final = (
    *("alephalpha", "anthropic", "bedrock", "chromadb", "cohere", "google_generativeai", "groq"),
    *("haystack", "lancedb", "langchain", "llamaindex", "marqo", "mcp", "milvus", "mistralai"),
    *("ollama", "openai", "openai.v0", "openai.v1", "openai_agents", "pinecone", "qdrant"),
    *("replicate", "sagemaker", "together", "transformers", "vertexai", "voyageai", "watsonx"),
    *("weaviate", "writer", "agno", "openai_v2", "openai_agents_v2", "weaviate_v2"),
)
"""What follows ``opentelemetry.instrumentation.`` in its scopes, which others use as well."""

SCOPES: Final = (
    _scope(
        "Microsoft's Agent Framework",
        "agent_framework.*",
        AGENT_FRAMEWORK,
        # An id in memory; the conventions have only those of a service.
        repair=Repair(
            removed=(attr.GEN_AI_AGENT_ID,), not_providers=("microsoft.agent_framework",)
        ),
    ),
    _scope(
        "Pydantic AI",
        "pydantic-ai",
        LOGFIRE,
        repair=Repair(
            {
                # Of agents; their kinds of tokens stay where they are: the conventions have none.
                "gen_ai.aggregated_usage.input_tokens": attr.GEN_AI_USAGE_INPUT_TOKENS,
                "gen_ai.aggregated_usage.output_tokens": attr.GEN_AI_USAGE_OUTPUT_TOKENS,
                "gen_ai.usage.details.reasoning_tokens": attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS,
            }
        ),
    ),
    _scope(
        "Strands",
        "strands.*",
        STRANDS,
        LANGFUSE,
        repair=Repair(not_providers=("strands-agents",)),
    ),
    _scope("Strands", "strands-agents", STRANDS, repair=Repair(not_providers=("strands-agents",))),
    _scope(
        "Google ADK",
        "gcp.vertex.agent.*",
        GOOGLE_ADK,
        repair=Repair(not_providers=("gcp.vertex.agent",)),
    ),
    _scope("LiteLLM's callback", "litellm.*", LITELLM, OPENINFERENCE, repair=_SPELLINGS),
    _scope("Semantic Kernel", "semantic_kernel.*", AGENT_FRAMEWORK, repair=_SPELLINGS),
    _scope("the Anthropic SDK", "com.anthropic.sdk.python.*", repair=_SPELLINGS),
    _scope("the Mistral SDK", "mistralai_sdk_tracer", repair=_SPELLINGS),
    _scope("the Mistral SDK", "mistralai.*", repair=_SPELLINGS),
    _scope("the MCP SDK", "mcp-python-sdk"),
    _scope("FastMCP", "fastmcp.*"),
    _scope("AutoGen", "autogen.*"),
    _scope("AutoGen", "autogen-core"),
    _scope("AG2", "ag2.*"),
    _scope("CrewAI", "crewai.*", OPENLLMETRY),
    _scope("Haystack", "haystack.*", HAYSTACK, repair=_SPELLINGS),
    _scope("the Azure SDK", "azure.ai.*", repair=_SPELLINGS),
    _scope("the Azure SDK", "Azure.AI.*", repair=_SPELLINGS),
    _scope("OpenInference", "openinference.instrumentation.*", OPENINFERENCE),
    _scope("OpenInference", "beeai-opentelemetry", OPENINFERENCE),
    _scope("OpenLLMetry", "traceloop.*", OPENLLMETRY),
    # The name of a span is the description of a task, which is prompt text.
    _scope(
        "OpenLLMetry",
        "opentelemetry.instrumentation.crewai",
        OPENLLMETRY,
        name_ends=(".task",),
    ),
    *(
        _scope("OpenLLMetry", f"opentelemetry.instrumentation.{name}", OPENLLMETRY)
        for name in _OPENLLMETRY_LIBRARIES
    ),
    _scope("the official instrumentations", "opentelemetry.instrumentation.genai.*"),
    _scope("the official instrumentations", "opentelemetry.util.genai.*"),
    _scope(
        "the official instrumentations",
        "opentelemetry.instrumentation.google_genai.*",
        GOOGLE_GENAI,
    ),
    _scope("Logfire", "logfire.openai.*", LOGFIRE),
    _scope("Logfire", "logfire.anthropic.*", LOGFIRE),
    _scope("Logfire", "logfire.litellm.*", LOGFIRE, OPENINFERENCE),
    _scope("Logfire", "logfire.dspy.*", LOGFIRE, OPENINFERENCE),
    _scope("Logfire", "logfire.google_genai.*", LOGFIRE, GOOGLE_GENAI),
    _scope("MLflow", "mlflow.*", MLFLOW),
    _scope("Langfuse", "langfuse.*", LANGFUSE),
    _scope("Langfuse", "langfuse-sdk", LANGFUSE),
    _scope("LangSmith", "langsmith.*", LANGSMITH),
    _scope("OpenLIT", "openlit.*"),
    _scope("Langtrace", "langtrace_python_sdk.*", OPENLLMETRY, VENDORS),
    _scope("AgentOps", "agentops.*", VENDORS),
    _scope("Laminar", "lmnr.*", VENDORS),
    _scope("Braintrust", "braintrust.*", VENDORS),
)
"""The known scopes; of several that match a name, the longest counts."""

OURS: Final = "otel_agents."
"""What our own scopes start with. Their content has passed the gate."""

SCOPES_WITHOUT_CONTENT: Final = frozenset(
    f"opentelemetry.instrumentation.{name}"
    for name in (
        *("aiohttp_client", "aiohttp_server", "asgi", "asyncpg", "boto", "celery", "django"),
        *("fastapi", "flask", "grpc", "httpx", "jinja2", "kafka", "pika", "psycopg", "psycopg2"),
        *("pymongo", "pymysql", "redis", "requests", "sqlalchemy", "sqlite3", "starlette"),
        *("tornado", "urllib", "urllib3", "wsgi", "threading", "system_metrics"),
    )
)
"""Scopes of OpenTelemetry that emit no GenAI telemetry: their spans are not even looked at."""

_BY_NAME: Final = MappingProxyType({scope.name: scope for scope in SCOPES})


def scope_named(name: str) -> Scope | None:
    """Return the known scope that a name belongs to.

    Example:
        >>> scope_named("gcp.vertex.agent").library, scope_named("shop")
        ('Google ADK', None)
    """
    found = _BY_NAME.get(name)
    start = name
    while found is None and start:
        found = _BY_NAME.get(f"{start}.*")
        start = start.rpartition(".")[0]
    return found
