"""Operations that run in this process: workflows, agents, plans, and our own steps."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.context.agents import AgentScope
from otel_agents.instrumentors._core.context.scope import scope_of, with_scope
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import kinds
from .kinds import Kind
from .operation import Operation

__all__ = [
    "Internal",
    "InvokeAgent",
    "InvokeWorkflow",
    "Messages",
    "Plan",
    "Selection",
    "Step",
    "step",
]

Messages: TypeAlias = "Callable[[], list[Any]] | list[Any] | Items | None"
"""Messages in the shapes of `otel_agents.semconv.messages`, or a function that returns them."""


_REASON: Final = "finish_reason"
_ABANDONED: Final = attr.OTEL_AGENTS_STREAM_ABANDONED
_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})


class Internal(Operation):
    """The base of operations in this process. Inside one, no layer claims a model call yet.

    Args:
        telemetry: What to emit with.
        name: The name that the application gave; None if it gave none. A class name does not count.
        input: The input messages.
        output: Makes the output messages from the call's result.
        start_attributes: Further attributes for samplers.
        parent: The parent context; default is the current one.
        start_time: Nanoseconds since the epoch, for an operation that started earlier.
        links: Links of the span.
    """

    __slots__ = ("_output", "subject")

    kind: ClassVar[Kind]
    operation: ClassVar[values.Operation]
    name_attribute: ClassVar[str]
    """The attribute that holds the name; the span's name ends with it."""

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        *,
        input: Messages = None,
        output: Callable[[Any], Messages] | None = None,
        start_attributes: Mapping[str, Any] = _EMPTY,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        self.subject = name = kinds.short(name)
        self._output = output
        operation = self.operation.value
        named: dict[str, Any] = {attr.GEN_AI_OPERATION_NAME: operation, **start_attributes}
        if name:
            named[self.name_attribute] = name
        super().__init__(
            telemetry,
            self.kind,
            f"{operation} {name}" if name else operation,
            named,
            parent=parent,
            start_time=start_time,
            links=links,
        )
        if input is not None and telemetry.gate.enabled:
            self.content.input_messages = input

    def respond(self, value: Any) -> None:
        """Record the output messages, as ``output`` makes them from the result."""
        if self._output is not None and self.content.enabled:
            output = self._output(value)
            if output is not None:
                self.content.output_messages = lambda: self._with_finish_reason(output)

    def _with_finish_reason(self, output: Messages) -> Messages:
        messages = output() if callable(output) else output
        reason = self._finish_reason()
        if reason is None or not isinstance(messages, list) or not messages:
            return messages
        last = messages[-1]
        return [*messages[:-1], {**last, _REASON: last.get(_REASON, reason)}]

    def _finish_reason(self) -> str | None:
        """Return the finish reason for a last message without one: ``error`` if it broke off."""
        broke_off = self.error_type is not None or _ABANDONED in self.attributes
        return values.FinishReason.ERROR.value if broke_off else None


class InvokeWorkflow(Internal):
    """A process that coordinates agents (GenAI semconv, "Invoke workflow").

    Takes the arguments of `InvokeAgent`, without ``model``.

    Example:
        >>> def run(telemetry, call):
        ...     return InvokeWorkflow(telemetry, call.instance.name)
        >>> Patch("house:Flow.run", run).target
        'house:Flow.run'
    """

    __slots__ = ()
    kind = kinds.WORKFLOW
    operation = values.Operation.INVOKE_WORKFLOW
    name_attribute = attr.GEN_AI_WORKFLOW_NAME


class InvokeAgent(Internal):
    """One invocation of an agent in this process (GenAI semconv, "Invoke agent", internal).

    The span carries the usage of the model calls made under it, never the framework's own totals.

    Example:
        >>> def run(telemetry, call):
        ...     return InvokeAgent(telemetry, call.instance.name, output=text_messages)
        >>> def text_messages(result):
        ...     part = {"type": "text", "content": str(result)}
        ...     return [{"role": "assistant", "parts": [part]}]
        >>> patch = Patch("house:Agent.run", run)

    Args:
        telemetry: What to emit with.
        name: The agent's name; None if the application gave none.
        model: The requested model, only where the framework has one fixed model per agent.
        input: The input messages.
        output: Makes the output messages from the call's result.
        parent: The parent context; default is the current one.
        start_time: Nanoseconds since the epoch, for an invocation that started earlier.
        links: Links of the span.
    """

    __slots__ = ("scope",)
    kind = kinds.AGENT
    operation = values.Operation.INVOKE_AGENT
    name_attribute = attr.GEN_AI_AGENT_NAME

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        *,
        model: str | None = None,
        input: Messages = None,
        output: Callable[[Any], Messages] | None = None,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        super().__init__(
            telemetry,
            name,
            input=input,
            output=output,
            parent=parent,
            start_time=start_time,
            links=links,
        )
        if model:
            self.attributes[attr.GEN_AI_REQUEST_MODEL] = model
        self.scope = AgentScope(self.subject, scope_of(self.context).agent)
        self.context = with_scope(self.context, agent=self.scope)

    def _finish_reason(self) -> str | None:
        """Return that of the last model call below; with several choices it is none of them."""
        reasons = self.scope.finish_reasons
        if len(reasons) > 1:
            return None
        return reasons[0] if reasons else super()._finish_reason()

    def _finalize(self) -> None:
        finalization.current().wait_briefly()  # streams dropped under it count towards its usage
        scope = self.scope
        for name, value in (
            (attr.GEN_AI_USAGE_INPUT_TOKENS, scope.input_tokens),
            (attr.GEN_AI_USAGE_OUTPUT_TOKENS, scope.output_tokens),
            (attr.GEN_AI_RESPONSE_FINISH_REASONS, scope.finish_reasons or None),
        ):
            if value is not None:
                self.attributes[name] = value


class Plan(Internal):
    """An agent makes its plan (GenAI semconv, "Plan"); the model call for it is a child.

    Takes the arguments of `InvokeAgent`, without ``model``; ``name`` is the agent's.

    Example:
        >>> def plan(telemetry, call):
        ...     return Plan(telemetry, call.instance.agent_name)
        >>> patch = Patch("house:Planner.plan", plan)
    """

    __slots__ = ()
    kind = kinds.SCOPE
    operation = values.Operation.PLAN
    name_attribute = attr.GEN_AI_AGENT_NAME


class Step(Operation):
    """A span of our own, where the conventions have none: a task, a guardrail, human input.

    It has no ``gen_ai.operation.name``; ``otel_agents.step.type`` names its type.

    Example:
        >>> def check(telemetry, call):
        ...     return Step(telemetry, "guardrail", call.instance.name)
        >>> patch = Patch("house:Guardrail.check", check)

    Args:
        telemetry: What to emit with.
        type: ``task``, ``node``, ``guardrail``, ``human_input``, …
        name: The application's name for it; the span's name is the type and this name.
        number: ``otel_agents.step.number``, from 1, where steps or attempts are numbered.
        count: ``otel_agents.step.count``, where the number of steps is known.
        parent: The parent context; default is the current one.
        links: Links of the span.
    """

    __slots__ = ()

    def __init__(
        self,
        telemetry: Telemetry,
        type: str,
        name: str | None = None,
        *,
        number: int | None = None,
        count: int | None = None,
        parent: Context | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        start_attributes: dict[str, Any] = {attr.OTEL_AGENTS_STEP_TYPE: type}
        if number is not None:
            start_attributes[attr.OTEL_AGENTS_STEP_NUMBER] = number
        if count is not None:
            start_attributes[attr.OTEL_AGENTS_STEP_COUNT] = count
        full = f"{type} {kinds.short(name)}" if name else type
        super().__init__(telemetry, kinds.SCOPE, full, start_attributes, parent=parent, links=links)

    def set_outcome(self, outcome: str) -> None:
        """Set ``otel_agents.step.outcome``, in the program's own terms.

        Args:
            outcome: The label that a router chose, ``passed`` or ``failed`` for a guardrail,
                ``skipped``; low in cardinality, and never content.
        """
        self.attributes[attr.OTEL_AGENTS_STEP_OUTCOME] = outcome


class Selection(Step):
    """The selection of the next speaker, mostly by a model.

    It may take several attempts. Its outcome is the speaker's name, its count the number of
    attempts. If no attempt was valid, a fallback speaker takes the turn and it is an error.
    """

    __slots__ = ("_attempts", "_valid")

    def __init__(self, telemetry: Telemetry, *, parent: Context | None = None) -> None:
        super().__init__(telemetry, "select_speaker", parent=parent)
        self._attempts = 0
        self._valid = False

    def record_attempt(self, valid: bool) -> None:
        """Record an attempt: ``valid`` if the response named a participant who may speak."""
        self._attempts += 1
        self._valid = valid

    def record_choice(self, name: str) -> None:
        """Record the name of the selected speaker."""
        self.set_outcome(name)
        if self._attempts and not self._valid:
            self.mark_failed(values.ERROR_TYPE_UNDECIDED)

    def conclude(self) -> None:
        """Record the number of attempts, also after an error."""
        if self._attempts:
            self.attributes[attr.OTEL_AGENTS_STEP_COUNT] = self._attempts


def step(type: str) -> Start:
    """Return a start function for steps of ``type`` that have no name or number.

    Example:
        >>> patch = Patch("house:Flow.resume", step("human_input"))
    """

    def start(telemetry: Telemetry, call: Call) -> Step:
        return Step(telemetry, type)

    return start
