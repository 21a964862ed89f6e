"""One class per GenAI operation: starts the span, gathers, ends it once, records and emits."""

from ._agents import ExecuteTool, InvokeAgent, InvokeWorkflow, Plan, Step
from ._base import Operation, error_type
from ._claimed import ClaimedCall
from ._client import CreateAgent, FetchResponse, InvokeRemoteAgent, McpRequest, Memory, Retrieval
from ._inference import Embeddings, Inference

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
