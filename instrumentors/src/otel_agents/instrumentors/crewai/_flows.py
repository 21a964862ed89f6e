"""Flows of the application's; those that CrewAI runs its own agents and memory by are not shown."""

from __future__ import annotations

from typing import Any, Final, cast

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._labels import chosen
from ._numbers import SIBLINGS, Siblings
from ._runs import WorkflowRun, restores

__all__ = ["flow", "method", "resumption"]

_WAITS: Final = "HumanFeedbackPending"
"""What a method raises where it waits for somebody: the flow ends for now, and is resumed later."""
_PERSISTENCE: Final = ("persistence", "_persistence")
"""Where what keeps a flow's state is; early versions have the second."""


def _is_internal(instance: Any) -> bool:
    return type(instance).__module__.partition(".")[0] == "crewai"


def _conversation(call: Call) -> str | None:
    """The id under which the flow's state is kept, or was asked for; None where it is only this run's."""
    inputs = call.argument(0, "inputs")
    given = cast("dict[str, Any]", inputs).get("id") if isinstance(inputs, dict) else None
    if isinstance(given, str) and given:
        return given
    kept = any(getattr(call.instance, name, None) is not None for name in _PERSISTENCE)
    forked = call.argument(3, "restore_from_state_id") is not None  # it is given another id then
    return getattr(call.instance, "flow_id", None) if kept and not forked else None


def _within(conversation: str | None) -> Context | None:
    """The context of a run of ``conversation``; one that the application has named is kept."""
    if not conversation or conversation_id() is not None:
        return None
    return with_conversation_id(conversation, get_current())


def _name(instance: Any) -> str:
    return getattr(instance, "name", None) or type(instance).__name__


def flow(telemetry: Telemetry, call: Call) -> WorkflowRun | None:
    """``Flow.kickoff_async(inputs)``, by which every flow runs."""
    streams = getattr(call.instance, "stream", False)
    if streams or _is_internal(call.instance) or restores(call):
        return None
    parent = _within(_conversation(call))
    inputs = call.argument(0, "inputs")
    return WorkflowRun(telemetry, _name(call.instance), inputs, parent=parent)


def resumption(telemetry: Telemetry, call: Call) -> WorkflowRun:
    """``Flow.resume_async(feedback)``: goes on with a flow that waited for somebody."""
    parent = _within(getattr(call.instance, "flow_id", None))
    feedback = call.argument(0, "feedback")
    return WorkflowRun(telemetry, _name(call.instance), feedback, parent=parent)


class _Method(Step):
    __slots__ = ("_flow", "_method")

    def __init__(self, telemetry: Telemetry, flow: Any, method: str) -> None:
        super().__init__(telemetry, "method", method)
        self._flow, self._method = flow, method
        self.context = SIBLINGS.set(Siblings(), self.context)

    def respond(self, value: Any) -> None:
        """Keep what a router has decided; later versions return the id of an event beside it."""
        returned = cast("tuple[Any, ...]", value)[0] if isinstance(value, tuple) else value
        label = chosen(self._flow, self._method, returned)
        if label is not None:
            self.set_outcome(label)

    def is_failure(self, error: BaseException) -> bool:
        """To wait for somebody is none."""
        return type(error).__name__ != _WAITS


def method(telemetry: Telemetry, call: Call) -> Step | None:
    """``Flow._execute_method(method_name, method, …)``."""
    if _is_internal(call.instance):
        return None
    return _Method(telemetry, call.instance, str(call.args[0]))
