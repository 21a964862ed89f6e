"""Runs: from a call of the runner to its result, over the stretches of one or several agents."""

from __future__ import annotations

from asyncio import CancelledError
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, attach

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.scope import (
    conversation_id,
    with_conversation_id,
    with_scope,
)
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import (
    InvokeAgent,
    InvokeWorkflow,
    Operation,
    interrupted,
)
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import text
from otel_agents.semconv import attributes as attr

from ._arguments import RunArguments
from ._frames import RUNS, Frame, current_frame, enter, leave, restore
from ._messages import interruptions, output, record_input

if TYPE_CHECKING:
    from agents import RunResult
    from agents.tracing import Span

__all__ = [
    "MAX_TURNS_EXCEEDED",
    "AgentsRun",
    "is_preparing",
    "preparing",
    "run",
    "streamed_run",
    "with_conversation",
]

MAX_TURNS_EXCEEDED: Final = "agents.exceptions.MaxTurnsExceeded"
"""The error that the application may handle: then the run has a result."""
_PREPARING: Final = Slot("openai-agents-preparing", bool)


class AgentsRun(Observation):
    """A run in progress.

    Attributes:
        telemetry: What to emit with.
        agent: The stretch of the current agent.
        requests: The tool calls of the last response that were not executed yet.
        handoffs: The names of the tools that hand over to another agent.
        problem: The class of an error that the SDK has recorded and not raised.
        started: Whether an agent has started.
    """

    def __init__(self, telemetry: Telemetry, arguments: RunArguments) -> None:
        self.telemetry = telemetry
        self.agent: InvokeAgent | None = None
        self.requests: list[Any] = []
        self.handoffs: frozenset[str] = frozenset()
        self.problem: str | None = None
        self.started = False
        self._arguments = arguments
        self._entered: Span[Any] | None = None
        self._stretch: Span[Any] | None = None
        self._has_several = arguments.has_several
        self._turns = 0
        self._undescribed: InvokeAgent | None = None
        self._response: list[Any] = []
        super().__init__(_PREPARING.set(None, enter(self, self._begin, self)))

    def _begin(self, parent: Context) -> Operation | None:
        """Start the workflow, or the agent where it is the only one."""
        given = self._arguments
        parent = with_conversation(given.conversation, parent)
        if not given.includes_sensitive_data:
            parent = with_scope(parent, records_content=False)
        if not self._has_several:
            self.agent = self._stretch_of(given.agent.name, parent)
            return self.agent
        if current_frame() is not None:
            return None
        workflow = InvokeWorkflow(self.telemetry, given.workflow_name, output=output, parent=parent)
        record_input(workflow.content, given.input)
        return workflow

    def _stretch_of(self, name: str | None, parent: Context) -> InvokeAgent:
        given = self._arguments
        is_first, self._turns = not self._turns, self._turns + 1
        model = given.model if is_first else None
        agent = InvokeAgent(self.telemetry, name, model=model, output=output, parent=parent)
        if self._has_several:
            agent.attributes[attr.OTEL_AGENTS_TURN] = self._turns
        if is_first:
            record_input(agent.content, given.input)
        self._undescribed = agent
        return agent

    def on_request(
        self, model: str | None, instructions: Any, given: Any, handoffs: frozenset[str]
    ) -> None:
        """Record the current agent's model, instructions, and what its model gets first."""
        self.handoffs = handoffs
        agent, self._undescribed = self._undescribed, None
        if agent is None:
            return
        if model is not None:
            agent.attributes[attr.GEN_AI_REQUEST_MODEL] = model
        record_input(agent.content, given if self._turns > 1 else None, instructions)

    def on_response(self, items: list[Any]) -> None:
        """Keep the items of a model's response, of which some are tool calls."""
        self.requests = [item for item in items if text(item, "call_id") is not None]
        self._response = items

    def take_request(self, name: str) -> Any:
        """Return the next call of the tool ``name`` that the model requested; None if unknown."""
        return self._take(lambda found: found == name)

    def take_handoff(self) -> Any:
        """Return the handoff that the model requested; None if unknown."""
        return self._take(self.handoffs.__contains__)

    def _take(self, matches: Callable[[str], bool]) -> Any:
        for request in self.requests:
            if matches(text(request, "name") or ""):
                self.requests.remove(request)
                return request
        return None

    def is_current(self, frame: Frame) -> bool:
        """Return whether ``frame`` is that of the run itself, or of its current agent."""
        return frame.key is self or frame.key is self._entered

    def start_stretch(self, span: Span[Any]) -> None:
        """Start the stretch of the next agent, unless it is the only one and has started."""
        only = not self._has_several and not self.started
        self.started, self._entered = True, span
        self._end_stretch(self._hand_over)
        if only:
            attach(enter(span, lambda parent: None))
            return

        def begin(parent: Context) -> Operation:
            self.agent = self._stretch_of(span.span_data.name, parent)
            return self.agent

        attach(enter(span, begin))
        self._stretch = span

    def leave_stretch(self, span: Span[Any]) -> None:
        """Leave an agent; its stretch ends with the run, or when the next agent starts."""
        if span is self._stretch:
            restore(span)
        else:
            leave(span)

    def _hand_over(self, operation: Operation) -> None:
        """End a stretch with the response in which the model requested a handoff."""
        operation.returned(self._response)

    def _end_stretch(self, report: Callable[[Operation], object]) -> None:
        span, self._stretch = self._stretch, None
        if span is not None:
            RUNS.end(span, report)

    def returned(self, value: RunResult | None) -> Any:
        """Record the result; that of a streamed run is known to its own object."""
        result: Any = self._arguments.streamed if value is None else value
        handled = self.problem == MAX_TURNS_EXCEEDED and result.final_output is not None
        if self.problem is not None and not handled:
            self._end(lambda operation: _failed_by(operation, self.problem))
            return value
        waiting = interruptions(result)
        if waiting and self.agent is not None:
            interrupted(self.telemetry, waiting(), self.agent.context)
        self._end(lambda operation: operation.returned(result))
        return value

    def failed(self, error: BaseException) -> None:
        """Record the error on the agent and on the run."""
        if self.problem is not None and isinstance(error, CancelledError):
            # Consumers of a stream raise the problem themselves, and cancel the run.
            self._end(lambda operation: _failed_by(operation, self.problem))
            return
        span, self._stretch = self._stretch, None
        if span is not None:
            RUNS.fail(span, error)
        RUNS.fail(self, error)

    def end(self) -> None:
        """End what is left."""
        self._end(Operation.end)

    def _end(self, report: Callable[[Operation], object]) -> None:
        self._end_stretch(report)
        RUNS.end(self, report)


def _failed_by(operation: Operation, problem: str | None) -> None:
    operation.mark_failed(problem)
    operation.end()


def with_conversation(value: object, parent: Context) -> Context:
    """Return ``parent`` in the conversation ``value``, unless it has one."""
    known = conversation_id(parent) is not None or not isinstance(value, str) or not value
    return parent if known else with_conversation_id(str(value), parent)


def run(telemetry: Telemetry, call: Call) -> AgentsRun:
    """Start ``AgentRunner.run(starting_agent, input, …)``; ``Runner.run`` in early versions."""
    return AgentsRun(telemetry, RunArguments(call, call.argument(1, "input"), None))


def streamed_run(telemetry: Telemetry, call: Call) -> AgentsRun:
    """Start the loop of ``Runner.run_streamed``, which no consumer of its events can stop."""
    given = call.kwargs.get("starting_input")
    if call.kwargs.get("is_resumed_state"):
        given = call.kwargs.get("run_state")
    return AgentsRun(telemetry, RunArguments(call, given, call.kwargs.get("streamed_result")))


def preparing(telemetry: Telemetry, call: Call) -> Context:
    """Mark what ``run_streamed`` does before the loop starts."""
    return _PREPARING.set(True)


def is_preparing() -> bool:
    """Return whether a run prepares: traces and custom spans that start now are the SDK's own.

    It starts the run's trace, and hides the spans around a run that disables tracing.
    """
    frame = current_frame()
    if frame is not None and frame.run is not None and frame.key is frame.run:
        return not frame.run.started
    return bool(_PREPARING.get())
