"""Well-known values of attributes; the conventions leave these lists open.

Source: GenAI semconv, attribute registry. Use a value that is not listed where none fits.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

ERROR_TYPE_OTHER: Final = "_OTHER"
"""``error.type`` if nothing better is known."""

ERROR_TYPE_INTERRUPTED: Final = "interrupted"
"""Our ``error.type`` for what was still open when a signal terminated the process."""

ERROR_TYPE_UNDECIDED: Final = "undecided"
"""Our ``error.type`` for a selection without a valid attempt, where a rule decided instead."""

MCP_TOOL_ERROR: Final = "tool_error"
"""``error.type`` of an MCP tool that reports an error in its result."""


class EvaluatorType(str, Enum):
    """``otel_agents.evaluation.evaluator.type``.

    Example:
        >>> EvaluatorType("human")
        <EvaluatorType.HUMAN: 'human'>
    """

    HUMAN = "human"
    MODEL = "model"
    CODE = "code"


class Operation(str, Enum):
    """``gen_ai.operation.name``.

    Example:
        >>> Operation("invoke_agent")
        <Operation.INVOKE_AGENT: 'invoke_agent'>
    """

    CHAT = "chat"
    GENERATE_CONTENT = "generate_content"
    TEXT_COMPLETION = "text_completion"
    EMBEDDINGS = "embeddings"
    RETRIEVAL = "retrieval"
    FETCH_RESPONSE = "fetch_response"
    CREATE_AGENT = "create_agent"
    INVOKE_AGENT = "invoke_agent"
    EXECUTE_TOOL = "execute_tool"
    INVOKE_WORKFLOW = "invoke_workflow"
    PLAN = "plan"
    SEARCH_MEMORY = "search_memory"
    CREATE_MEMORY = "create_memory"
    UPDATE_MEMORY = "update_memory"
    UPSERT_MEMORY = "upsert_memory"
    DELETE_MEMORY = "delete_memory"
    CREATE_MEMORY_STORE = "create_memory_store"
    DELETE_MEMORY_STORE = "delete_memory_store"


class Provider(str, Enum):
    """``gen_ai.provider.name``: the format of the telemetry, as far as is known.

    Example:
        >>> Provider.AWS_BEDROCK.value
        'aws.bedrock'
    """

    OPENAI = "openai"
    GCP_GEN_AI = "gcp.gen_ai"
    GCP_VERTEX_AI = "gcp.vertex_ai"
    GCP_GEMINI = "gcp.gemini"
    ANTHROPIC = "anthropic"
    COHERE = "cohere"
    AZURE_AI_INFERENCE = "azure.ai.inference"
    AZURE_AI_OPENAI = "azure.ai.openai"
    IBM_WATSONX_AI = "ibm.watsonx.ai"
    AWS_BEDROCK = "aws.bedrock"
    PERPLEXITY = "perplexity"
    X_AI = "x_ai"
    DEEPSEEK = "deepseek"
    GROQ = "groq"
    MISTRAL_AI = "mistral_ai"
    MOONSHOT_AI = "moonshot_ai"


class OutputType(str, Enum):
    """``gen_ai.output.type``: the requested modality, not the format.

    Example:
        >>> OutputType.JSON.value
        'json'
    """

    TEXT = "text"
    JSON = "json"
    IMAGE = "image"
    SPEECH = "speech"


class ToolType(str, Enum):
    """``gen_ai.tool.type``: executed by the client, by the agent, or a data store.

    Example:
        >>> ToolType.FUNCTION.value
        'function'
    """

    FUNCTION = "function"
    EXTENSION = "extension"
    DATASTORE = "datastore"


class TokenType(str, Enum):
    """``gen_ai.token.type`` of the previous generation of metrics.

    Example:
        >>> [kind.value for kind in TokenType]
        ['input', 'output']
    """

    INPUT = "input"
    OUTPUT = "output"


class TokenModality(str, Enum):
    """``gen_ai.token.modality``; ``unknown`` where the provider has no breakdown.

    Example:
        >>> TokenModality.UNKNOWN.value
        'unknown'
    """

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    UNKNOWN = "unknown"


class ResponseStatus(str, Enum):
    """``gen_ai.response.status`` of a fetched response.

    Example:
        >>> ResponseStatus("queued")
        <ResponseStatus.QUEUED: 'queued'>
    """

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FinishReason(str, Enum):
    """Finish reasons of the message schemas; span attributes keep the provider's spelling.

    Example:
        >>> FinishReason.TOOL_CALL.value
        'tool_call'
    """

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    TOOL_CALL = "tool_call"
    COMPACTION = "compaction"
    ERROR = "error"


class Role(str, Enum):
    """Roles of messages.

    Example:
        >>> Role.ASSISTANT.value
        'assistant'
    """

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Modality(str, Enum):
    """Modalities of blob, file and uri parts.

    Example:
        >>> Modality.IMAGE.value
        'image'
    """

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


class OpenAIApiType(str, Enum):
    """``openai.api.type``.

    Example:
        >>> OpenAIApiType.RESPONSES.value
        'responses'
    """

    CHAT_COMPLETIONS = "chat_completions"
    RESPONSES = "responses"


class OpenAIServiceTier(str, Enum):
    """``openai.request.service_tier``.

    Example:
        >>> OpenAIServiceTier.AUTO.value
        'auto'
    """

    AUTO = "auto"
    DEFAULT = "default"


class McpMethod(str, Enum):
    """``mcp.method.name``.

    Example:
        >>> McpMethod.TOOLS_CALL.value
        'tools/call'
    """

    INITIALIZE = "initialize"
    PING = "ping"
    TOOLS_LIST = "tools/list"
    TOOLS_CALL = "tools/call"
    PROMPTS_LIST = "prompts/list"
    PROMPTS_GET = "prompts/get"
    RESOURCES_LIST = "resources/list"
    RESOURCES_TEMPLATES_LIST = "resources/templates/list"
    RESOURCES_READ = "resources/read"
    RESOURCES_SUBSCRIBE = "resources/subscribe"
    RESOURCES_UNSUBSCRIBE = "resources/unsubscribe"
    COMPLETION_COMPLETE = "completion/complete"
    LOGGING_SET_LEVEL = "logging/setLevel"
    SAMPLING_CREATE_MESSAGE = "sampling/createMessage"
    ELICITATION_CREATE = "elicitation/create"
    ROOTS_LIST = "roots/list"
    NOTIFICATIONS_CANCELLED = "notifications/cancelled"
    NOTIFICATIONS_INITIALIZED = "notifications/initialized"
    NOTIFICATIONS_PROGRESS = "notifications/progress"
    NOTIFICATIONS_MESSAGE = "notifications/message"
    NOTIFICATIONS_RESOURCES_LIST_CHANGED = "notifications/resources/list_changed"
    NOTIFICATIONS_RESOURCES_UPDATED = "notifications/resources/updated"
    NOTIFICATIONS_TOOLS_LIST_CHANGED = "notifications/tools/list_changed"
    NOTIFICATIONS_PROMPTS_LIST_CHANGED = "notifications/prompts/list_changed"
    NOTIFICATIONS_ROOTS_LIST_CHANGED = "notifications/roots/list_changed"
    # Protocol 2026-07-28, proposed for the conventions in their issue #437
    SERVER_DISCOVER = "server/discover"
    SUBSCRIPTIONS_LISTEN = "subscriptions/listen"
    NOTIFICATIONS_SUBSCRIPTIONS_ACKNOWLEDGED = "notifications/subscriptions/acknowledged"
