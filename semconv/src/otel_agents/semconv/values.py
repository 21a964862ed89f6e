"""Well-known values of attributes; the conventions leave these lists open.

Source: GenAI semconv, attribute registry. A value that is not listed may be used where none fits.
"""

from __future__ import annotations

from enum import Enum
from typing import Final

ERROR_TYPE_OTHER: Final = "_OTHER"
"""``error.type`` where nothing better is known."""

ERROR_TYPE_INTERRUPTED: Final = "interrupted"
"""``error.type``, ours, of what was still open when a signal told the process to end."""

ERROR_TYPE_UNDECIDED: Final = "undecided"
"""``error.type``, ours, of a selection in which no try was valid, so that a rule stood in for it."""

MCP_TOOL_ERROR: Final = "tool_error"
"""``error.type`` of an MCP tool that reports an error in its result."""


class Operation(str, Enum):
    """``gen_ai.operation.name``."""

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
    """``gen_ai.provider.name``: the flavour of telemetry, to the best of what is known."""

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
    """``gen_ai.output.type``: the modality asked for, not the format."""

    TEXT = "text"
    JSON = "json"
    IMAGE = "image"
    SPEECH = "speech"


class ToolType(str, Enum):
    """``gen_ai.tool.type``: executed by the client, by the agent, or a data store."""

    FUNCTION = "function"
    EXTENSION = "extension"
    DATASTORE = "datastore"


class TokenType(str, Enum):
    """``gen_ai.token.type`` of the previous generation of metrics."""

    INPUT = "input"
    OUTPUT = "output"


class TokenModality(str, Enum):
    """``gen_ai.token.modality``; ``unknown`` where the provider does not break down."""

    TEXT = "text"
    IMAGE = "image"
    AUDIO = "audio"
    UNKNOWN = "unknown"


class ResponseStatus(str, Enum):
    """``gen_ai.response.status`` of a fetched response."""

    QUEUED = "queued"
    IN_PROGRESS = "in_progress"
    COMPLETED = "completed"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"


class FinishReason(str, Enum):
    """Finish reasons of the message schemas; span attributes keep the provider's spelling."""

    STOP = "stop"
    LENGTH = "length"
    CONTENT_FILTER = "content_filter"
    TOOL_CALL = "tool_call"
    COMPACTION = "compaction"
    ERROR = "error"


class Role(str, Enum):
    """Roles of messages."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


class Modality(str, Enum):
    """Modalities of blob, file and uri parts."""

    IMAGE = "image"
    VIDEO = "video"
    AUDIO = "audio"
    DOCUMENT = "document"


class OpenAIApiType(str, Enum):
    """``openai.api.type``."""

    CHAT_COMPLETIONS = "chat_completions"
    RESPONSES = "responses"


class OpenAIServiceTier(str, Enum):
    """``openai.request.service_tier``."""

    AUTO = "auto"
    DEFAULT = "default"


class McpMethod(str, Enum):
    """``mcp.method.name``."""

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
