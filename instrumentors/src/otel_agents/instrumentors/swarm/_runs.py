"""Runs of a swarm: a stretch for each active agent, with its model calls and tools."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ClaimedCall, InvokeAgent, InvokeWorkflow
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.openai.chat import input_messages
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from ._tools import Tool, ToolCalls

if TYPE_CHECKING:
    from swarm import Agent  # pyright: ignore[reportMissingTypeStubs]  it has none

__all__ = ["completion", "run", "streamed_run", "tool_calls"]

_DEFAULT_NAME: Final = "Agent"


class SwarmRun(InvokeWorkflow):
    """A run in progress.

    Attributes:
        step: The call of the model, or of tools, that came last.
        stretch: What the active agent does.
    """

    __slots__ = ("_active", "_messages", "_model", "_outer", "_turns", "step", "stretch")

    def __init__(self, telemetry: Telemetry, call: Call) -> None:
        agent: Agent = call.argument(0, "agent")
        messages: list[Any] = call.argument(1, "messages")
        super().__init__(
            telemetry,
            _name(agent),
            input=input_messages(messages),
            output=_last_message,
        )
        self._active: Agent | None = None
        self._model = call.argument(3, "model_override")
        self._messages: list[Any] = []
        self._turns = 0
        self._outer = _TOOL_CALLS.get()
        self.step: _Completion | ToolCalls | None = None
        self.stretch: InvokeAgent | None = None
        self.context = _RUN.set(self, self.context)

    def activate(self, agent: Agent, history: list[Any]) -> InvokeAgent:
        """Return the stretch of ``agent``; end that of another one."""
        if self.stretch is None or agent is not self._active:
            replies = [one for one in history if one.get("role") == "assistant"]
            self._end_stretch(replies)
            self._active, self._turns = agent, self._turns + 1
            self.stretch = InvokeAgent(
                self.telemetry,
                _name(agent),
                model=self._model or getattr(agent, "model", None),
                input=input_messages(history),
                output=_last_of,
                parent=self.context,
            )
            self.stretch.attributes[attr.OTEL_AGENTS_TURN] = self._turns
        return self.stretch

    def respond(self, value: Any) -> None:
        """Record the last message."""
        self._messages = value.messages
        super().respond(value)

    def chunk(self, item: dict[str, Any]) -> object:
        """Keep the last item of a stream, which is the response."""
        if "response" in item:
            self.observe(item["response"])
        return None

    def has_reported(self, error: BaseException) -> bool:
        """Return whether an operation below reports ``error``: the stretch does if none else."""
        return self.stretch is not None

    def conclude(self) -> None:
        """End the stretch with the run; an error that leaves it may leave the tool around it."""
        self._end_stretch(self._messages)
        if self.error is not None and self._outer is not None:
            self._outer.reported = self.error

    def _end_stretch(self, messages: list[Any]) -> None:
        stretch, self.stretch = self.stretch, None
        if stretch is None:
            return
        if self.error is not None:
            passes = self.step is not None and self.step.reported is self.error
            stretch.failed(self.error, passes=passes or self._broke_off())
        elif attr.OTEL_AGENTS_STREAM_ABANDONED in self.attributes:
            stretch.abandoned()
        else:
            stretch.returned(messages)

    def _broke_off(self) -> bool:
        """Return whether the model's stream, which an SDK reports, was being read."""
        return isinstance(self.step, _Completion) and self.step.streams and self.step.claim.taken


_RUN: Final = Slot("swarm-run", SwarmRun)
_TOOL_CALLS: Final = Slot("swarm-tool-calls", ToolCalls)


class _Completion(ClaimedCall):
    """A call of the model, which the instrumentor of the SDK reports.

    Attributes:
        streams: Whether the response is a stream, which Swarm reads after the call.
        reported: The error that the SDK has reported.
    """

    def __init__(self, telemetry: Telemetry, call: Call, parent: Context) -> None:
        super().__init__(telemetry, Operation.CHAT, parent=parent)
        self.streams = bool(call.argument(4, "stream"))
        self.reported: BaseException | None = None

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Keep what the SDK has reported."""
        if self.claim.taken:
            self.reported = error
        return error


def _name(agent: Agent | None) -> str | None:
    """Return the name that the application gave to an agent."""
    name: str | None = getattr(agent, "name", None)  # Swarm rejects what is no agent
    return name if name != _DEFAULT_NAME else None


def _last_message(response: Any) -> Any:
    return _last_of(response.messages)


def _last_of(messages: list[Any]) -> Any:
    """Return the last message, whose place a tool's result takes where a run is over."""
    return (lambda: input_messages(messages[-1:]).all()) if messages else None


def run(telemetry: Telemetry, call: Call) -> SwarmRun | None:
    """Start ``Swarm.run(agent, messages, …)``, unless it only calls ``run_and_stream``."""
    return None if call.argument(4, "stream") else SwarmRun(telemetry, call)


def streamed_run(telemetry: Telemetry, call: Call) -> SwarmRun:
    """Start ``Swarm.run_and_stream(agent, messages, …)``."""
    return SwarmRun(telemetry, call)


def completion(telemetry: Telemetry, call: Call) -> ClaimedCall | None:
    """Call the model in the stretch of ``get_chat_completion(agent, history, …)``."""
    swarm_run = _RUN.get()
    if swarm_run is None:
        return None
    stretch = swarm_run.activate(call.argument(0, "agent"), call.argument(1, "history"))
    swarm_run.step = step = _Completion(telemetry, call, stretch.context)
    return step


def tool_calls(telemetry: Telemetry, call: Call) -> Observation | None:
    """Record each call of ``handle_tool_calls(tool_calls, functions, …)``."""
    swarm_run = _RUN.get()
    if swarm_run is None or swarm_run.stretch is None:
        return None
    swarm_run.step = requests = ToolCalls(telemetry, call.argument(0, "tool_calls"))
    functions = [Tool(function, requests) for function in call.argument(1, "functions")]
    if len(call.args) > 1:
        call.args = (call.args[0], functions, *call.args[2:])
    else:
        call.kwargs = {**call.kwargs, "functions": functions}
    context = _RUN.set(None, swarm_run.stretch.context)
    return Observation(_TOOL_CALLS.set(requests, context))
