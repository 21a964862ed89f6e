"""GenAI operations: one class for each, from its start to the telemetry it emits at its end."""

from otel_agents.instrumentors._core.errors import error_type

from .agents import InvokeAgent, InvokeWorkflow, Plan, Selection, Step, step
from .client import CreateAgent, InvokeRemoteAgent, McpRequest, Memory, Retrieval
from .events import Evaluation, Handoff, evaluated, hand_over, interrupted
from .models import ClaimedCall, Embeddings, FetchResponse, Inference, ModelCall, unfinished
from .operation import Operation
from .runs import Runs
from .tools import ExecuteCode, ExecuteTool

__all__ = [
    "ClaimedCall",
    "CreateAgent",
    "Embeddings",
    "Evaluation",
    "ExecuteCode",
    "ExecuteTool",
    "FetchResponse",
    "Handoff",
    "Inference",
    "InvokeAgent",
    "InvokeRemoteAgent",
    "InvokeWorkflow",
    "McpRequest",
    "Memory",
    "ModelCall",
    "Operation",
    "Plan",
    "Retrieval",
    "Runs",
    "Selection",
    "Step",
    "error_type",
    "evaluated",
    "hand_over",
    "interrupted",
    "step",
    "unfinished",
]
