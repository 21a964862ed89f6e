"""What runs in the process: workflows, agents, plans, and steps of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, ClassVar, Final, TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.calls import disposal
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
"""Messages in the shapes of `otel_agents.semconv.messages`, or what makes them when wanted."""


_REASON: Final = "finish_reason"
_NOTHING: Final[Mapping[str, Any]] = MappingProxyType({})


class Internal(Operation):
    """A scope of the application's own: what is called inside it is nobody's request yet.

    Args:
        telemetry: What to emit with.
        name: What it is called; None where the application gave no name: a type's is none.
        input: What it is asked.
        output: Makes the answer of the call's result.
        start_attributes: Further attributes that samplers see.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, if it began before it was known.
        links: Links of the span.
    """

    __slots__ = ("_output", "subject")

    kind: ClassVar[Kind]
    operation: ClassVar[values.Operation]
    name_attribute: ClassVar[str]
    """The attribute that has its name, which the span's name ends with."""

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        *,
        input: Messages = None,
        output: Callable[[Any], Messages] | None = None,
        start_attributes: Mapping[str, Any] = _NOTHING,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        self.subject = name
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
        """Keep the answer, as ``output`` makes it of the result."""
        if self._output is not None and self.content.enabled:
            self.content.output_messages = self._output(value)


class InvokeWorkflow(Internal):
    """A process that coordinates agents (GenAI semconv, "Invoke workflow"); see `Internal`."""

    __slots__ = ()
    kind = kinds.WORKFLOW
    operation = values.Operation.INVOKE_WORKFLOW
    name_attribute = attr.GEN_AI_WORKFLOW_NAME


class InvokeAgent(Internal):
    """One invocation of an agent in this process (GenAI semconv, "Invoke agent", internal).

    Carries the sums of the model calls made under it; they are never taken from the framework.
    ``model`` only where the framework allows one fixed model per agent; the rest is as `Internal`'s.
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
        self.scope = AgentScope(name, scope_of(self.context).agent)
        self.context = with_scope(self.context, agent=self.scope)

    def respond(self, value: Any) -> None:
        """Keep the answer, which ended as the last model call under this agent did."""
        if self._output is not None and self.content.enabled:
            output = self._output(value)
            if output is not None:
                self.content.output_messages = lambda: self._with_finish_reason(output)

    def _with_finish_reason(self, output: Messages) -> Messages:
        messages = output() if callable(output) else output
        reasons = self.scope.finish_reasons
        if len(reasons) != 1 or not isinstance(messages, list) or not messages:
            return messages
        last = messages[-1]
        return [*messages[:-1], {**last, _REASON: last.get(_REASON, reasons[0])}]

    def _finalize(self) -> None:
        disposal.here().wait_briefly()  # what was dropped under it is part of the sums
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

    ``name`` is the agent's.
    """

    __slots__ = ()
    kind = kinds.SCOPE
    operation = values.Operation.PLAN
    name_attribute = attr.GEN_AI_AGENT_NAME


class Step(Operation):
    """A span of ours for what the conventions have no span for: a task, a guardrail, human input.

    It has no ``gen_ai.operation.name``; ``otel_agents.step.type`` says what it is.

    Args:
        telemetry: What to emit with.
        type: ``task``, ``node``, ``guardrail``, ``human_input``, …
        name: What the application calls it; the span's name is the type and the name.
        number: ``otel_agents.step.number``, from 1, where steps or tries are numbered.
        count: ``otel_agents.step.count``, where it is known how many there are.
        parent: The context to work in; default is the current one.
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
        full = f"{type} {name}" if name else type
        super().__init__(telemetry, kinds.SCOPE, full, start_attributes, parent=parent, links=links)

    def set_outcome(self, outcome: str) -> None:
        """Set ``otel_agents.step.outcome``: what was decided, as the program names it.

        Args:
            outcome: A label that a router chose, ``passed`` or ``failed`` of a guardrail,
                ``skipped``: low in cardinality, and never content.
        """
        self.attributes[attr.OTEL_AGENTS_STEP_OUTCOME] = outcome


class Selection(Step):
    """Whose turn is next is decided, mostly by a model, which may need several tries.

    Its outcome is the name of who was chosen, its count that of the tries. Where none of them was
    valid, and whoever was chosen stands in, it is an error.
    """

    __slots__ = ("_attempts", "_valid")

    def __init__(self, telemetry: Telemetry, *, parent: Context | None = None) -> None:
        super().__init__(telemetry, "select_speaker", parent=parent)
        self._attempts = 0
        self._valid = False

    def record_attempt(self, valid: bool) -> None:
        """A try was made: what was answered does, or does not, name one who may speak."""
        self._attempts += 1
        self._valid = valid

    def record_choice(self, name: str) -> None:
        """Whose turn it is."""
        self.set_outcome(name)
        if self._attempts and not self._valid:
            self.mark_failed(values.ERROR_TYPE_UNDECIDED)

    def conclude(self) -> None:
        """Count the tries, also of what has failed."""
        if self._attempts:
            self.attributes[attr.OTEL_AGENTS_STEP_COUNT] = self._attempts


def step(type: str) -> Start:
    """A start of steps of ``type``, of which no more is known."""

    def start(telemetry: Telemetry, call: Call) -> Step:
        return Step(telemetry, type)

    return start
