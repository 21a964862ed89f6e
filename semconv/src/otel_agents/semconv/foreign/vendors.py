"""The names that single libraries and vendors use in addition to the conventions'."""

from __future__ import annotations

from typing import Final

from otel_agents.semconv.registry import REGISTRY

from .vocabularies import CONVENTIONS, DESCRIPTIONS, ERRORS, Vocabulary, other

__all__ = [
    "AGENT_FRAMEWORK",
    "GOOGLE_ADK",
    "GOOGLE_GENAI",
    "HAYSTACK",
    "LANGFUSE",
    "LANGSMITH",
    "LITELLM",
    "LOGFIRE",
    "MLFLOW",
    "OPENINFERENCE",
    "OPENLLMETRY",
    "STRANDS",
    "VENDORS",
    "VOCABULARIES",
]

OPENINFERENCE: Final = Vocabulary(
    "OpenInference",
    {
        **other(
            *("input.value", "output.value", "input.images", "output.images", "input.images.*"),
            *("output.images.*", "input.documents.*", "output.documents.*", "input.audio.*"),
            *("output.audio.*", "llm.input_messages.*", "llm.output_messages.*", "llm.prompts"),
            *("llm.prompts.*", "llm.completions.*", "llm.choices.*", "llm.function_call"),
            *("llm.invocation_parameters", "embedding.invocation_parameters", "llm.tools.*"),
            *("llm.prompt_template.template", "llm.prompt_template.variables"),
            *("embedding.text", "embedding.vector", "embedding.embeddings.*"),
            *("retrieval.documents", "retrieval.documents.*", "reranker.query"),
            *("reranker.input_documents.*", "reranker.output_documents.*", "document.*"),
            *("message.*", "message_content.*", "tool.parameters", "tool.json_schema"),
            *("tool_call.*", "image.url", "audio.url", "audio.transcript", "video.url"),
            *("metadata", "tag.tags", "annotations.*", "evaluations.*", "trace.annotations.*"),
            *("trace.evaluations.*", "session.annotations.*", "session.evaluations.*"),
            *("annotation.explanation", "annotation.metadata", "evaluation.explanation"),
            *("evaluation.metadata", "crew_agents", "crew_tasks", "crew_inputs"),
            *("flow_inputs", "kickoff_inputs", "agent.goal", "agent.backstory"),
            *("task.description", "task.expected_output", "formatted_description"),
            *("formatted_expected_output",),
        ),
        **ERRORS,
    },
    # An instrumentation may add messages to a span that another library has started.
    ("openinference.*", "llm.input_messages.*", "llm.output_messages.*"),
    frozenset({"document.id", "document.score", "message.role", "tool_call.id"}),
)
OPENLLMETRY: Final = Vocabulary(
    "OpenLLMetry",
    {
        **other(
            *("traceloop.entity.input", "traceloop.entity.output", "traceloop.prompt.template"),
            *("traceloop.prompt.template_variables", "traceloop.association.properties.*"),
            *("llm.prompts", "llm.prompts.*", "llm.completions", "llm.completions.*"),
            *("llm.request.functions", "llm.request.functions.*", "llm.content.completion.chunk"),
            *("llm.request.structured_output_schema", "llm.headers", "crewai.*"),
            *("openai_assistant.*", "llama_index.*", "db.query.result.*", "pinecone.query.queries"),
            *("db.chroma.query.where", "db.chroma.query.where_document", "db.milvus.query.filter"),
            *("mcp.*.arguments", "langgraph.*.input", "langgraph.*.output"),
        ),
        **ERRORS,
    },
    ("traceloop.*", "llm.request.type"),
)
LOGFIRE: Final = Vocabulary(
    "Pydantic AI and Logfire",
    {
        "pydantic_ai.all_messages": "input_messages",
        **other(
            *("all_messages", "all_messages_events", "events", "final_result"),
            *("tool_arguments", "tool_response", "model_request_parameters", "request_data"),
            *("response_data", "prompt", "result", "output", "input", "output_function_arguments"),
            *("output_function_result", "pydantic_ai.tool.retry.cause", "logfire.metadata"),
            *("pydantic_ai.output.retry.cause", "pydantic_ai.tool.deferral.metadata"),
            *("embeddings", "inputs", "metadata", "logfire.exception.*"),
        ),
        **ERRORS,
    },
    ("pydantic_ai.*",),
)
LITELLM: Final = Vocabulary(
    "LiteLLM",
    {
        **other(
            *("llm.*", "hidden_params", "metadata.*", "litellm.team.metadata", "exception"),
            *("error", "guardrail_response", "guardrail_request", "masked_entity_count"),
            *("input.value", "output.value", "weave.inputs", "weave.output", "message.content"),
            *("gen_ai.tool.*", "langfuse.*", "standard_logging_object", "request_tags"),
            *("litellm.request.body", "litellm.response.body", "litellm.metadata.*"),
        ),
        **ERRORS,
    },
    (),
    frozenset(
        (
            *("llm.request.type", "llm.is_streaming", "llm.model_name", "llm.provider"),
            *("llm.temperature", "llm.top_p", "llm.top_k", "llm.max_tokens", "llm.stream"),
            *("llm.frequency_penalty", "llm.presence_penalty", "llm.chat.stop_sequences"),
            *("llm.token_count.prompt", "llm.token_count.completion", "llm.token_count.total"),
            *(name for name in REGISTRY if name.startswith("gen_ai.tool.")),
        )
    ),
)
STRANDS: Final = Vocabulary(
    "Strands",
    other(
        *("system_prompt", "prompt", "completion", "tool.parameters", "tool.result"),
        *("gen_ai.agent.tools.*", "memory.query", "memory.content", "memory.results"),
        *("memory.query.*", "memory.content.*", "memory.results.*", "interrupt.*"),
    ),
    events=frozenset({"memory.query", "memory.content", "memory.results"}),
)
GOOGLE_ADK: Final = Vocabulary(
    "Google ADK",
    other(
        *("gcp.vertex.agent.llm_request", "gcp.vertex.agent.llm_response"),
        *("gcp.vertex.agent.tool_call_args", "gcp.vertex.agent.tool_response"),
        "gcp.vertex.agent.data",
    ),
    ("gcp.vertex.agent.*",),
)
GOOGLE_GENAI: Final = Vocabulary(
    "the official instrumentation of google-genai",
    other("code.function.parameters.*", "code.function.return.*", "gen_ai.gcp.request.*"),
)
AGENT_FRAMEWORK: Final = Vocabulary(
    "Microsoft's Agent Framework and Semantic Kernel",
    other(
        *("workflow.definition", "workflow.description", "workflow_builder.description"),
        *("build.error.message", "sk.prompt", "sk.completion", "message.content"),
    ),
)
MLFLOW: Final = Vocabulary(
    "MLflow",
    other(
        *("mlflow.spanInputs", "mlflow.spanOutputs", "mlflow.chat.messages", "mlflow.chat.tools"),
        *("mlflow.traceRequest", "mlflow.traceResponse", "mlflow.trace.request"),
        *("mlflow.trace.response", "mlflow.traceInputs", "mlflow.traceOutputs", "mlflow.prompt.*"),
        *("mlflow.spanFunctionArgs", "mlflow.assessment.*"),
    ),
    ("mlflow.*",),
)
LANGFUSE: Final = Vocabulary(
    "Langfuse",
    other(
        *("langfuse.observation.input", "langfuse.observation.output", "langfuse.trace.input"),
        *("langfuse.trace.output", "langfuse.observation.metadata", "langfuse.trace.metadata"),
        *("langfuse.observation.metadata.*", "langfuse.trace.metadata.*", "langfuse.trace.tags"),
        *("langfuse.observation.status_message", "langfuse.observation.model.parameters"),
    ),
    ("langfuse.*",),
)
LANGSMITH: Final = Vocabulary(
    "LangSmith",
    other("langsmith.metadata.*", "langsmith.span.tags", "langsmith.inputs", "langsmith.outputs"),
    ("langsmith.*",),
)
HAYSTACK: Final = Vocabulary(
    "Haystack",
    other(
        *("haystack.component.input", "haystack.component.output", "haystack.component.input.*"),
        *("haystack.component.output.*", "haystack.component.senders", "haystack.agent.input"),
        *("haystack.agent.output", "haystack.agent.tools", "haystack.agent.state_schema"),
        *("haystack.agent.step.llm.input", "haystack.agent.step.llm.output"),
        *("haystack.agent.step.tool.input", "haystack.agent.step.tool.output"),
        *("haystack.pipeline.input_data", "haystack.pipeline.output_data"),
        *("haystack.pipeline.metadata", "haystack.tool.input", "haystack.tool.output"),
    ),
    ("haystack.*",),
)
VENDORS: Final = Vocabulary(
    "further vendors",
    other(
        *("agentops.entity.input", "agentops.entity.output", "agentops.task.input"),
        *("agentops.task.output", "agentops.tags", "lmnr.span.input", "lmnr.span.output"),
        *("lmnr.association.properties.*", "braintrust.input", "braintrust.output"),
        *("braintrust.input_json", "braintrust.output_json", "braintrust.metadata"),
        *("braintrust.expected", "honeyhive_inputs.*", "honeyhive_outputs.*"),
        *("honeyhive_metadata.*", "weave.inputs", "weave.output", "opik.metadata.*"),
        *("opik.input", "opik.output", "langtrace.prompt", "ai.prompt", "ai.prompt.*"),
        *("ai.response.*", "ai.toolCall.*", "ai.telemetry.metadata.*"),
    ),
    (
        *("agentops.*", "lmnr.*", "braintrust.*", "honeyhive_*", "weave.*", "opik.*"),
        *("langtrace.*", "ai.operationId"),
    ),
)

VOCABULARIES: Final = (
    *(CONVENTIONS, DESCRIPTIONS, OPENINFERENCE, OPENLLMETRY, LOGFIRE, LITELLM, STRANDS),
    *(GOOGLE_ADK, GOOGLE_GENAI, AGENT_FRAMEWORK, MLFLOW, LANGFUSE, LANGSMITH, HAYSTACK, VENDORS),
)
"""All vocabularies."""
