"""OpenTelemetry instrumentors for AI agents: one subpackage per framework or model SDK.

This package exports what an instrumentor is made of. These names are public: changes are announced
in the changelog. Nothing is imported before it is used.

`AgentInstrumentor` shows a whole instrumentor.
"""

from __future__ import annotations

from importlib import import_module
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from ._core.calls.around import wrapped as wrapped
    from ._core.calls.call import Call as Call
    from ._core.calls.call import Start as Start
    from ._core.calls.call import Switch as Switch
    from ._core.calls.call import instance as instance
    from ._core.calls.callbacks import guarded as guarded
    from ._core.calls.reporting import CallObserver as CallObserver
    from ._core.calls.results import follow_held as follow_held
    from ._core.calls.watching import Observation as Observation
    from ._core.calls.watching import after as after
    from ._core.calls.watching import attaching as attaching
    from ._core.calls.watching import instead as instead
    from ._core.calls.watching import replacing as replacing
    from ._core.calls.watching import watch as watch
    from ._core.calls.watching import within as within
    from ._core.context.carrying import Handover as Handover
    from ._core.context.carrying import carry as carry
    from ._core.context.ownership import sent as sent
    from ._core.context.scope import Scope as Scope
    from ._core.context.scope import conversation_id as conversation_id
    from ._core.context.scope import scope_of as scope_of
    from ._core.context.scope import session_id as session_id
    from ._core.context.scope import user_id as user_id
    from ._core.context.scope import with_conversation_id as with_conversation_id
    from ._core.context.scope import with_session_id as with_session_id
    from ._core.context.scope import with_user_id as with_user_id
    from ._core.context.slots import Slot as Slot
    from ._core.encoding.encoded import Items as Items
    from ._core.operations import ClaimedCall as ClaimedCall
    from ._core.operations import CreateAgent as CreateAgent
    from ._core.operations import Embeddings as Embeddings
    from ._core.operations import Evaluation as Evaluation
    from ._core.operations import ExecuteCode as ExecuteCode
    from ._core.operations import ExecuteTool as ExecuteTool
    from ._core.operations import FetchResponse as FetchResponse
    from ._core.operations import Inference as Inference
    from ._core.operations import InvokeAgent as InvokeAgent
    from ._core.operations import InvokeRemoteAgent as InvokeRemoteAgent
    from ._core.operations import InvokeWorkflow as InvokeWorkflow
    from ._core.operations import McpRequest as McpRequest
    from ._core.operations import Memory as Memory
    from ._core.operations import ModelCall as ModelCall
    from ._core.operations import Operation as Operation
    from ._core.operations import Plan as Plan
    from ._core.operations import Retrieval as Retrieval
    from ._core.operations import Runs as Runs
    from ._core.operations import Step as Step
    from ._core.operations import error_type as error_type
    from ._core.operations import evaluated as evaluated
    from ._core.operations import hand_over as hand_over
    from ._core.operations import interrupted as interrupted
    from ._core.operations import step as step
    from ._core.patching.instrumentor import AgentInstrumentor as AgentInstrumentor
    from ._core.patching.patches import Patch as Patch
    from ._core.patching.patches import Registration as Registration
    from ._core.telemetry.content import Content as Content
    from ._core.telemetry.telemetry import Telemetry as Telemetry

_ROOMS: Final = MappingProxyType(
    {
        "calls.around": ("wrapped",),
        "calls.call": ("Call", "Start", "Switch", "instance"),
        "calls.callbacks": ("guarded",),
        "calls.reporting": ("CallObserver",),
        "calls.results": ("follow_held",),
        "calls.watching": (
            *("Observation", "after", "attaching", "instead", "replacing", "watch", "within"),
        ),
        "context.carrying": ("Handover", "carry"),
        "context.ownership": ("sent",),
        "context.scope": (
            *("Scope", "scope_of", "conversation_id", "session_id", "user_id"),
            *("with_conversation_id", "with_session_id", "with_user_id"),
        ),
        "context.slots": ("Slot",),
        "encoding.encoded": ("Items",),
        "operations": (
            *(
                "ClaimedCall",
                "CreateAgent",
                "Embeddings",
                "Evaluation",
                "ExecuteCode",
                "ExecuteTool",
            ),
            *("FetchResponse", "Inference", "InvokeAgent", "InvokeRemoteAgent", "InvokeWorkflow"),
            *(
                "McpRequest",
                "Memory",
                "ModelCall",
                "Operation",
                "Plan",
                "Retrieval",
                "Runs",
                "Step",
            ),
            *("error_type", "evaluated", "hand_over", "interrupted", "step"),
        ),
        "patching.instrumentor": ("AgentInstrumentor",),
        "patching.patches": ("Patch", "Registration"),
        "telemetry.content": ("Content",),
        "telemetry.telemetry": ("Telemetry",),
    }
)
"""The module of each public name, below ``_core``."""

_HOMES: Final = MappingProxyType({name: room for room, names in _ROOMS.items() for name in names})

__all__ = [
    "AgentInstrumentor",
    "Call",
    "CallObserver",
    "ClaimedCall",
    "Content",
    "CreateAgent",
    "Embeddings",
    "Evaluation",
    "ExecuteCode",
    "ExecuteTool",
    "FetchResponse",
    "Handover",
    "Inference",
    "InvokeAgent",
    "InvokeRemoteAgent",
    "InvokeWorkflow",
    "Items",
    "McpRequest",
    "Memory",
    "ModelCall",
    "Observation",
    "Operation",
    "Patch",
    "Plan",
    "Registration",
    "Retrieval",
    "Runs",
    "Scope",
    "Slot",
    "Start",
    "Step",
    "Switch",
    "Telemetry",
    "after",
    "attaching",
    "carry",
    "conversation_id",
    "error_type",
    "evaluated",
    "follow_held",
    "guarded",
    "hand_over",
    "instance",
    "instead",
    "interrupted",
    "replacing",
    "scope_of",
    "sent",
    "session_id",
    "step",
    "user_id",
    "watch",
    "with_conversation_id",
    "with_session_id",
    "with_user_id",
    "within",
    "wrapped",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}._core.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *_HOMES})
