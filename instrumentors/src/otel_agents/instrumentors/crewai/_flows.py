"""The application's flows; those with which CrewAI runs its own agents and memory are not shown."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._numbers import RUN_NUMBERS, RunNumbers
from ._routers import router_label
from ._runs import WorkflowRun, restores_checkpoint

if TYPE_CHECKING:
    from crewai.flow.flow import Flow

__all__ = ["flow", "method", "resumption"]

_PENDING: Final = "HumanFeedbackPending"
"""Raised by a method that waits for feedback: the flow ends for now, and is resumed later."""
_PERSISTENCE: Final = ("persistence", "_persistence")
"""The attribute that persists a flow's state; early versions have the second."""


def _is_internal(flow: Flow[Any]) -> bool:
    return type(flow).__module__.partition(".")[0] == "crewai"


def _conversation_of(call: Call) -> str | None:
    """Return the id by which the flow's state is persisted or restored; None if it has one run."""
    inputs = call.argument(0, "inputs")
    given = cast("dict[str, Any]", inputs).get("id") if isinstance(inputs, dict) else None
    if isinstance(given, str) and given:
        return given
    persists = any(getattr(call.instance, name, None) is not None for name in _PERSISTENCE)
    forks = call.argument(3, "restore_from_state_id") is not None  # a fork gets a new id
    return getattr(call.instance, "flow_id", None) if persists and not forks else None


def _context_of(conversation: str | None) -> Context | None:
    """Return the context for a run of ``conversation``; an id that the application set is kept."""
    if not conversation or conversation_id() is not None:
        return None
    return with_conversation_id(conversation, get_current())


def _name(flow: Flow[Any]) -> str:
    return getattr(flow, "name", None) or type(flow).__name__


def flow(telemetry: Telemetry, call: Call) -> WorkflowRun | None:
    """Start ``Flow.kickoff_async(inputs)``, which every flow runs."""
    streams = getattr(call.instance, "stream", False)
    if streams or _is_internal(call.instance) or restores_checkpoint(call):
        return None
    parent = _context_of(_conversation_of(call))
    inputs = call.argument(0, "inputs")
    return WorkflowRun(telemetry, _name(call.instance), inputs, parent=parent)


def resumption(telemetry: Telemetry, call: Call) -> WorkflowRun:
    """Start ``Flow.resume_async(feedback)``, which continues a flow that waited for feedback."""
    parent = _context_of(getattr(call.instance, "flow_id", None))
    feedback = call.argument(0, "feedback")
    return WorkflowRun(telemetry, _name(call.instance), feedback, parent=parent)


class _Method(Step):
    __slots__ = ("_flow", "_method")

    def __init__(self, telemetry: Telemetry, flow: Flow[Any], method: str) -> None:
        super().__init__(telemetry, "method", method)
        self._flow, self._method = flow, method
        self.context = RUN_NUMBERS.set(RunNumbers(), self.context)

    def respond(self, value: Any) -> None:
        """Record a router's decision."""
        # Later versions return it together with the id of an event.
        returned = cast("tuple[Any, ...]", value)[0] if isinstance(value, tuple) else value
        label = router_label(self._flow, self._method, returned)
        if label is not None:
            self.set_outcome(label)

    def is_failure(self, error: BaseException) -> bool:
        """Return False for a method that waits for feedback."""
        return type(error).__name__ != _PENDING


def method(telemetry: Telemetry, call: Call) -> Step | None:
    """Start ``Flow._execute_method(method_name, method, …)``."""
    if _is_internal(call.instance):
        return None
    return _Method(telemetry, call.instance, str(call.args[0]))
