"""Workflows and their steps; the agents that are workflows, and those that hand over."""

from __future__ import annotations

import asyncio
from asyncio import CancelledError
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

from opentelemetry.context import Context, attach, detach, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.callbacks import guarded
from otel_agents.instrumentors._core.operations import (
    InvokeAgent,
    InvokeWorkflow,
    Operation,
    Step,
    interrupted,
)
from otel_agents.instrumentors._core.operations.agents import Messages
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import listed
from otel_agents.instrumentors._dialects.parts import text_message

from ._memories import conversation_of, kept_memory
from ._messages import any_message
from ._work import RUNS, WAITING, Entered, Work, current_work, given_class, is_a

__all__ = ["called", "on_waited", "on_waiting", "run", "step"]

_WORKFLOW: Final = "workflow"
_STEP: Final = "step"
_DEFAULT_NAME: Final = "Agent"
_IN_TASK: Final = "init_state"
"""The argument of the function that runs a workflow in its task, since 2.17."""
_CANCELLED: Final = "WorkflowCancelledByUser"
_LAST: Final = "_done"
"""The step that workflows of before 2.11 add to each."""


class _WorkflowStep(Step):
    """A step of an application's workflow."""

    __slots__ = ()

    def is_failure(self, error: BaseException) -> bool:
        """Return False for a step that waits for an event: it is run again when that arrives."""
        return type(error).__name__ != WAITING


@dataclass(slots=True)
class Team:
    """The agents of a workflow, of which one has its turn.

    Attributes:
        telemetry: What to emit with.
        turn: The run of the agent whose turn it is.
        name: That agent's name.
        last: Its last message.
    """

    telemetry: Telemetry
    turn: InvokeAgent | None = None
    name: str | None = None
    last: Any = None

    def context_of(self, name: str | None, input: Any, parent: Context) -> Context:
        """Return the context for a step of the agent ``name``, None for that of the turn."""
        if name is not None and (self.turn is None or name != self.name):
            self.end()
            self.name = name
            self.turn = InvokeAgent(
                self.telemetry,
                None if name == _DEFAULT_NAME else name,
                input=_turn_input(input),
                output=_turn_output,
                parent=parent,
            )
        return self.turn.context if self.turn is not None else parent

    def end(self, error: BaseException | None = None) -> None:
        """End the turn, if there is one."""
        turn, self.turn = self.turn, None
        last, self.last = self.last, None
        if turn is None:
            return
        if error is not None:
            turn.failed(error)
        else:
            turn.returned(last)


def _turn_input(messages: Any) -> Messages:
    return (lambda: [any_message("user", one) for one in listed(messages)]) if messages else None


def _turn_output(value: Any) -> Messages:
    return [any_message("assistant", value)] if value is not None else None


def run(entered: Entered) -> Work:
    """Start the run of a workflow, in the task that it runs in; before 2.17 where it is called."""
    workflow, arguments = entered.instance, entered.arguments
    event = arguments.get("start_event") or arguments.get("kwargs")
    agent = _agent_of(workflow)
    team = Team(entered.telemetry) if agent is None and is_a(workflow, "AgentWorkflow") else None
    plain = agent is None and team is None and given_class(workflow) is not None
    kind = InvokeWorkflow if agent is None else InvokeAgent
    name = _name_of(workflow if agent is None else agent)

    memory = _of_event(event, "memory")
    if memory is None and (_IN_TASK in arguments or arguments.get("ctx") is not None):
        memory = kept_memory(workflow, arguments.get("ctx"))

    def begin(parent: Context) -> Operation:
        return kind(entered.telemetry, name, input=_input(event), output=_output, parent=parent)

    return Work(
        entered.span_id,
        _WORKFLOW,
        workflow,
        begin,
        conversation_of(memory),
        ending=_end,
        failing=_fail,
        state=team or plain,
    )


def _agent_of(workflow: Any) -> Any:
    """Return the agent that a workflow is; until 0.12 one that runs alone makes a workflow of it."""
    if is_a(workflow, "BaseWorkflowAgent"):
        return workflow
    several: Any = getattr(workflow, "agents", None) if is_a(workflow, "AgentWorkflow") else None
    agents = list(several.values()) if several else []
    return agents[0] if len(agents) == 1 and not is_a(agents[0], "Workflow") else None


def _name_of(workflow: Any) -> str | None:
    """Return the name of an agent, or the name or the class that the application gave."""
    if is_a(workflow, "BaseWorkflowAgent"):
        return None if workflow.name == _DEFAULT_NAME else workflow.name
    return getattr(workflow, "_workflow_name", None) or given_class(workflow)


def called(telemetry: Telemetry, call: Call) -> Any:
    """Call ``Workflow.run(…)``, whose tasks have the context of the run: its caller keeps its own.

    Before 2.17 the dispatcher enters a span here. It exits when the run ends, without its error.
    """
    token = attach(get_current())
    try:
        handler = call.proceed()
        work = current_work()
        if work is not None and work.subject is call.instance:
            _follow(work, handler)
        return handler
    finally:
        detach(token)


@guarded("following a workflow")
def _follow(work: Work, handler: Any) -> None:
    """End a run with its handler, which is a future; in 2.13 it has one."""
    future: asyncio.Future[Any] = getattr(handler, "_result_task", handler)
    future.add_done_callback(partial(_done, work))
    work.ending = _end_later


def _end_later(work: Work, result: Any) -> None:
    """Leave the end to the handler."""


@guarded("ending a workflow")
def _done(work: Work, future: asyncio.Future[Any]) -> None:
    error = CancelledError() if future.cancelled() else future.exception()
    if error is None:
        _end(work, future.result())
    elif type(error).__name__ == _CANCELLED:
        _end(work, None)
    else:
        _fail(work, error)
        RUNS.fail(work.span_id, error)


def _end(work: Work, result: Any) -> None:
    if isinstance(work.state, Team):
        work.state.end()
    work.end(result)


def _fail(work: Work, error: BaseException) -> None:
    if isinstance(work.state, Team):
        work.state.end(error)
        RUNS.passed(work.span_id, error)


def _of_event(event: Any, name: str) -> Any:
    get = getattr(event, "get", None)
    return get(name, None) if get is not None else None


def _input(event: Any) -> Messages:
    """Return the input of a workflow: an agent's messages, or the fields of its event."""
    if not event:
        return None

    def messages() -> list[Any]:
        history = listed(_of_event(event, "chat_history"))
        message = _of_event(event, "user_msg")
        given = [*history, *([message] if message is not None else [])]
        if given:
            return [any_message("user", one) for one in given]
        return [text_message("user", getattr(event, "model_dump", lambda: event)())]

    return messages


def _output(event: Any) -> Messages:
    """Return the output of a workflow: an agent's message, or the result of its last event."""
    result = getattr(event, "result", event)
    if result is None:
        return None
    return [any_message("assistant", getattr(result, "response", result))]


def step(entered: Entered) -> Work | None:
    """Start a step of a workflow; those of LlamaIndex's own agents are not shown."""
    above = entered.above
    if above is None or above.kind != _WORKFLOW or entered.name == _LAST:
        return None
    event = entered.arguments.get("ev")
    if isinstance(above.state, Team):
        return _team_step(entered, above.state, event)
    if above.state is not True:
        return Work(entered.span_id, _STEP, entered.name, state=getattr(event, "tool_id", None))

    def begin(parent: Context) -> Operation:
        return _WorkflowStep(entered.telemetry, _STEP, entered.name, parent=parent)

    return Work(entered.span_id, _STEP, entered.name, begin, atomic=True)


def on_waited(telemetry: Telemetry, call: Call) -> None:
    """Report that ``Context.wait_for_event(…)`` waits; before 2.9 it does so within the step."""
    _interrupt(telemetry, call)


def on_waiting(telemetry: Telemetry, call: Call, error: BaseException) -> None:
    """Report that ``Context.wait_for_event(…)`` leaves the step, until somebody sends the event."""
    if type(error).__name__ != WAITING:
        return
    _interrupt(telemetry, call)


def _interrupt(telemetry: Telemetry, call: Call) -> None:
    waiter = call.argument(1, "waiter_event")
    interrupted(telemetry, waiter.model_dump() if waiter is not None else None)


def _team_step(entered: Entered, team: Team, event: Any) -> Work:
    """Make a step part of the turn of the agent that its event names."""
    name = getattr(event, "current_agent_name", None)
    found = RUNS.context_of(entered.above.span_id) if entered.above is not None else None
    parent = None
    if found is not None:
        parent = team.context_of(name, getattr(event, "input", None), found)

    def end(work: Work, result: Any) -> None:
        last = getattr(result, "response", None)
        if hasattr(last, "role"):
            team.last = last
        RUNS.end(work.span_id)

    call_id = getattr(event, "tool_id", None)
    return Work(entered.span_id, _STEP, entered.name, parent=parent, ending=end, state=call_id)
