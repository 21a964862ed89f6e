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

from ._arguments import RunArguments, name_of
from ._frames import RUNS, Frame, current_frame, current_run, enter
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

    The first agent starts with the run: guardrails, and tools that were approved, may precede it.

    Attributes:
        problem: The class of an error that the SDK has recorded and not raised.
        guardrail_error: What a guardrail has raised, which the consumer of a streamed run raises.
        started: Whether the SDK has started an agent.
    """

    def __init__(self, telemetry: Telemetry, arguments: RunArguments) -> None:
        self.problem: str | None = None
        self.guardrail_error: BaseException | None = None
        self.started = False
        self._telemetry = telemetry
        self._arguments = arguments
        self._is_nested = current_run() is not None
        self._turns = 0
        self._stretch: object = None
        self._span: Span[Any] | None = None
        self._agent: InvokeAgent | None = None
        self._is_described = False
        self._requests: list[Any] = []
        self._handoffs: frozenset[str] = frozenset()
        self._response: list[Any] = []
        enter(self, self._begin, self)
        super().__init__(_PREPARING.set(None, self._enter_stretch(name_of(arguments.agent))))
        self._first = self._stretch

    def _begin(self, parent: Context) -> Operation | None:
        """Start the workflow where several agents can take part, and nothing is above."""
        given = self._arguments
        if current_frame() is not None or not given.has_several:
            return None
        workflow = InvokeWorkflow(
            self._telemetry, given.workflow_name, output=output, parent=self._inside(parent)
        )
        record_input(workflow.content, given.input)
        return workflow

    def _inside(self, parent: Context) -> Context:
        """Return ``parent`` with what holds for all of the run."""
        parent = with_conversation(self._arguments.conversation, parent)
        if not self._arguments.includes_sensitive_data:
            parent = with_scope(parent, records_content=False)
        return parent

    def _enter_stretch(self, name: str | None) -> Context:
        """Start the stretch of the next agent."""
        self._stretch = object()
        self._turns += 1
        self._agent, self._is_described = None, False

        def begin(parent: Context) -> Operation:
            given, is_first = self._arguments, self._turns == 1
            self._agent = agent = InvokeAgent(
                self._telemetry,
                name,
                model=given.model if is_first else None,
                output=output,
                parent=self._inside(parent),
            )
            if given.has_several:
                agent.attributes[attr.OTEL_AGENTS_TURN] = self._turns
            if is_first:
                record_input(agent.content, given.input)
            return agent

        return enter(self._stretch, begin, self, self)

    def on_request(
        self, model: str | None, instructions: Any, given: Any, handoffs: frozenset[str]
    ) -> None:
        """Record the current agent's model, instructions, and what its model gets first."""
        self._handoffs = handoffs
        agent, is_described, self._is_described = self._agent, self._is_described, True
        if agent is None or is_described:
            return
        if model is not None:
            agent.attributes[attr.GEN_AI_REQUEST_MODEL] = model
        record_input(agent.content, given if self._turns > 1 else None, instructions)

    def on_response(self, items: list[Any]) -> None:
        """Keep the items of a model's response, of which some are tool calls."""
        self._requests = [item for item in items if text(item, "call_id") is not None]
        self._response = items

    def take_request(self, name: str) -> Any:
        """Return the next call of the tool ``name`` that the model requested; None if unknown."""
        return self._take(lambda found: found == name)

    def take_handoff(self) -> Any:
        """Return the handoff that the model requested; None if unknown."""
        return self._take(self._handoffs.__contains__)

    def _take(self, matches: Callable[[str], bool]) -> Any:
        for request in self._requests:
            if matches(text(request, "name") or ""):
                self._requests.remove(request)
                return request
        return None

    def is_own(self, frame: Frame) -> bool:
        """Return whether ``frame`` is that of an agent: the current one, or the first.

        The context of the first one is the run's, and is current between two others.
        """
        return frame.key in (self._first, self._stretch, self._span)

    def on_agent(self, span: Span[Any]) -> None:
        """Enter the SDK's span of an agent: the first one, or the next after a handoff."""
        if self.started:
            RUNS.end(self._stretch, lambda operation: operation.returned(self._response))
            self._enter_stretch(span.span_data.name)
        self.started, self._span = True, span
        attach(enter(span, lambda parent: None, self, self._stretch))

    def passed(self, error: BaseException) -> None:
        """Record that something within the current agent has reported ``error``."""
        for key in (self._span, self._stretch, self):
            RUNS.passed(key, error)

    def returned(self, value: RunResult | None) -> Any:
        """Record the result; that of a streamed run is known to its own object."""
        if self.guardrail_error is not None:
            self._fail(self.guardrail_error)
            return value
        result: Any = self._arguments.streamed if value is None else value
        handled = self.problem == MAX_TURNS_EXCEEDED and result.final_output is not None
        if self.problem is not None and not handled:
            self._end(lambda operation: _failed_by(operation, self.problem))
            return value
        waiting = interruptions(result)
        if waiting and self._agent is not None and not self._is_nested:
            interrupted(self._telemetry, waiting(), self._agent.context)
        self._end(lambda operation: operation.returned(result))
        return value

    def failed(self, error: BaseException) -> None:
        """Record the error on the agent and on the run."""
        if self.problem is not None and isinstance(error, CancelledError):
            # Consumers of a stream raise the problem themselves, and cancel the run.
            self._end(lambda operation: _failed_by(operation, self.problem))
            return
        if self.guardrail_error is not None and isinstance(error, CancelledError):
            error = self.guardrail_error
        self._fail(error)

    def _fail(self, error: BaseException) -> None:
        RUNS.fail(self._stretch, error)
        RUNS.fail(self, error)

    def end(self) -> None:
        """End what is left."""
        self._end(Operation.end)

    def _end(self, report: Callable[[Operation], object]) -> None:
        RUNS.end(self._stretch, report)
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
    if frame is not None and frame.run is not None and frame.run.is_own(frame):
        return not frame.run.started
    return bool(_PREPARING.get())
