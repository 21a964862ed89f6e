"""One class per GenAI operation: starts the span, gathers, ends it once, records and emits."""

from .agents import (
    ExecuteTool,
    InvokeAgent,
    InvokeWorkflow,
    Plan,
    Step,
)
from .claimed import ClaimedCall
from .client import (
    CreateAgent,
    FetchResponse,
    InvokeRemoteAgent,
    McpRequest,
    Memory,
    Retrieval,
)
from .inference import Embeddings, Inference
from .operation import Operation, error_type

__all__ = [
    "ClaimedCall",
    "CreateAgent",
    "Embeddings",
    "ExecuteTool",
    "FetchResponse",
    "Inference",
    "InvokeAgent",
    "InvokeRemoteAgent",
    "InvokeWorkflow",
    "McpRequest",
    "Memory",
    "Operation",
    "Plan",
    "Retrieval",
    "Step",
    "error_type",
]
