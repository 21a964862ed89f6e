"""What runs in the process: workflows, agents, plans, and steps of our own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias

from opentelemetry.context import Context
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.context.agents import AgentScope
from otel_agents.instrumentors._core.context.scope import inside, scope_of
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
    "Step",
    "step",
]

Messages: TypeAlias = "Callable[[], list[Any]] | list[Any] | Items | None"
"""Messages in the shapes of `otel_agents.semconv.messages`, or what makes them when wanted."""


class Internal(Operation):
    """A scope of the application's own: what is called inside it is nobody's request yet."""

    __slots__ = ("_output", "operation", "subject")

    def __init__(
        self,
        telemetry: Telemetry,
        kind: Kind,
        operation: values.Operation,
        subject_attribute: str,
        subject: str | None,
        first: Mapping[str, Any],
        *,
        input: Messages = None,
        output: Callable[[Any], Messages] | None = None,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        self.operation = operation
        self.subject = subject
        self._output = output
        named: dict[str, Any] = {attr.GEN_AI_OPERATION_NAME: operation.value, **first}
        if subject:
            named[subject_attribute] = subject
        name = f"{operation.value} {subject}" if subject else operation.value
        super().__init__(
            telemetry, kind, name, named, parent=parent, start_time=start_time, links=links
        )
        if input is not None and telemetry.gate.wanted:
            self.content.input_messages = input

    def respond(self, value: Any) -> None:
        """Keep the answer, as ``output`` makes it of the result."""
        if self._output is not None and self._gate.wanted:
            self.content.output_messages = self._output(value)


class InvokeWorkflow(Internal):
    """A process that coordinates agents (GenAI semconv, "Invoke workflow").

    Args:
        telemetry: What to emit with.
        name: None where the application gave none: a type's name is not one.
        input: What it is asked.
        output: Makes the answer of the call's result.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, if it began before it was known.
        links: Links of the span.
    """

    __slots__ = ()

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        *,
        input: Messages = None,
        output: Callable[[Any], Messages] | None = None,
        parent: Context | None = None,
        start_time: int | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        super().__init__(
            telemetry,
            kinds.WORKFLOW,
            values.Operation.INVOKE_WORKFLOW,
            attr.GEN_AI_WORKFLOW_NAME,
            name,
            {},
            input=input,
            output=output,
            parent=parent,
            start_time=start_time,
            links=links,
        )


class InvokeAgent(Internal):
    """One invocation of an agent in this process (GenAI semconv, "Invoke agent", internal).

    Carries the sums of the model calls made under it; they are never taken from the framework.

    Args:
        telemetry: What to emit with.
        name: The agent's name; None where it has none.
        model: Only where the framework allows one fixed model per agent.
        input: What it is asked.
        output: Makes the answer of the call's result.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, if it began before it was known.
        links: Links of the span.
    """

    __slots__ = ("scope",)

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
            kinds.AGENT,
            values.Operation.INVOKE_AGENT,
            attr.GEN_AI_AGENT_NAME,
            name,
            {},
            input=input,
            output=output,
            parent=parent,
            start_time=start_time,
            links=links,
        )
        if model:
            self.attributes[attr.GEN_AI_REQUEST_MODEL] = model
        self.scope = AgentScope(name, scope_of(self.context).agent)
        self.context = inside(self.context, agent=self.scope)

    def _gather(self) -> None:
        scope = self.scope
        for name, value in (
            (attr.GEN_AI_USAGE_INPUT_TOKENS, scope.input_tokens),
            (attr.GEN_AI_USAGE_OUTPUT_TOKENS, scope.output_tokens),
            (attr.GEN_AI_RESPONSE_FINISH_REASONS, scope.finish_reasons or None),
        ):
            if value is not None:
                self.attributes[name] = value


class Plan(Internal):
    """An agent makes its plan (GenAI semconv, "Plan"); the model call for it is a child."""

    __slots__ = ()

    def __init__(
        self, telemetry: Telemetry, agent_name: str | None, *, parent: Context | None = None
    ) -> None:
        operation = values.Operation.PLAN
        super().__init__(
            telemetry, kinds.SCOPE, operation, attr.GEN_AI_AGENT_NAME, agent_name, {}, parent=parent
        )


class Step(Operation):
    """A span of ours for what the conventions have no span for: a task, a guardrail, human input.

    It has no ``gen_ai.operation.name``; ``otel_agents.step.type`` says what it is.

    Args:
        telemetry: What to emit with.
        type: ``task``, ``node``, ``guardrail``, ``human_input``, …
        name: What the application calls it; the span's name is the type and the name.
        number: ``otel_agents.step.number``, where steps are numbered.
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
        parent: Context | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        first: dict[str, Any] = {attr.OTEL_AGENTS_STEP_TYPE: type}
        if number is not None:
            first[attr.OTEL_AGENTS_STEP_NUMBER] = number
        full = f"{type} {name}" if name else type
        super().__init__(telemetry, kinds.SCOPE, full, first, parent=parent, links=links)


def step(type: str) -> Start:
    """A start of steps of ``type``, of which no more is known."""

    def start(telemetry: Telemetry, call: Call) -> Step:
        return Step(telemetry, type)

    return start
