"""What runs in the process: workflows, agents, plans, tools and steps of our own."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context, get_current
from opentelemetry.trace import SpanKind

from otel_agents.instrumentors._core.context import claims, official
from otel_agents.instrumentors._core.context.agents import AgentScope, agent_scope
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import metrics, values

from .operation import Operation

__all__ = ["ExecuteTool", "InvokeAgent", "InvokeWorkflow", "Plan", "Step"]


class _Internal(Operation):
    """A scope of the application's own: what is called inside it is nobody's request yet."""

    __slots__ = ("operation", "subject")

    def __init__(
        self,
        telemetry: Telemetry,
        operation: values.Operation,
        subject_attribute: str,
        subject: str | None,
        *,
        parent: Context | None = None,
        start_time: int | None = None,
        **first: Any,
    ) -> None:
        self.operation = operation
        self.subject = subject
        named: dict[str, Any] = {attr.GEN_AI_OPERATION_NAME: operation.value, **first}
        if subject:
            named[subject_attribute] = subject
        name = f"{operation.value} {subject}" if subject else operation.value
        super().__init__(
            telemetry, name, SpanKind.INTERNAL, named, parent=parent, start_time=start_time
        )
        self.context = official.unannounced(claims.unclaimed(self.context))


class InvokeWorkflow(_Internal):
    """A process that coordinates agents (GenAI semconv, "Invoke workflow").

    ``name`` is None where the application gave none: a type's name is not one.
    """

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, name: str | None, **known: Any) -> None:
        operation = values.Operation.INVOKE_WORKFLOW
        super().__init__(telemetry, operation, attr.GEN_AI_WORKFLOW_NAME, name, **known)

    def measure(self) -> None:
        """Duration."""
        attributes = self.error_attributes
        if self.subject:
            attributes[attr.GEN_AI_WORKFLOW_NAME] = self.subject
        self.telemetry.instruments.record(
            metrics.GEN_AI_INVOKE_WORKFLOW_DURATION, self.duration, attributes, self.context
        )


class InvokeAgent(_Internal):
    """One invocation of an agent in this process (GenAI semconv, "Invoke agent", internal).

    Carries the sums of the model calls made under it; they are never taken from the framework.
    ``model`` only where the framework allows one fixed model per agent.
    """

    __slots__ = ("scope",)

    def __init__(
        self, telemetry: Telemetry, name: str | None, *, model: str | None = None, **known: Any
    ) -> None:
        operation = values.Operation.INVOKE_AGENT
        super().__init__(telemetry, operation, attr.GEN_AI_AGENT_NAME, name, **known)
        if model:
            self.attributes[attr.GEN_AI_REQUEST_MODEL] = model
        self.scope = AgentScope(name, self.context)
        self.context = self.scope.context

    def _finish(self) -> None:
        scope = self.scope
        for name, value in (
            (attr.GEN_AI_USAGE_INPUT_TOKENS, scope.input_tokens),
            (attr.GEN_AI_USAGE_OUTPUT_TOKENS, scope.output_tokens),
            (attr.GEN_AI_RESPONSE_FINISH_REASONS, scope.finish_reasons or None),
        ):
            if value is not None:
                self.attributes[name] = value
        super()._finish()

    def measure(self) -> None:
        """Duration; in the latest generation also the numbers of model and tool calls."""
        instruments, context = self.telemetry.instruments, self.context
        named = {attr.GEN_AI_AGENT_NAME: self.subject} if self.subject else {}
        timed = {**named, **self.error_attributes}
        model = self.attributes.get(attr.GEN_AI_REQUEST_MODEL)
        if model:
            timed[attr.GEN_AI_REQUEST_MODEL] = model
        instruments.record(metrics.GEN_AI_INVOKE_AGENT_DURATION, self.duration, timed, context)
        if instruments.latest:
            calls, tools = self.scope.inference_calls, self.scope.tool_calls
            instruments.record(metrics.GEN_AI_INVOKE_AGENT_INFERENCE_CALLS, calls, named, context)
            instruments.record(metrics.GEN_AI_INVOKE_AGENT_TOOL_CALLS, tools, named, context)


class Plan(_Internal):
    """An agent makes its plan (GenAI semconv, "Plan"); the model call for it is a child."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, agent_name: str | None, **known: Any) -> None:
        operation = values.Operation.PLAN
        super().__init__(telemetry, operation, attr.GEN_AI_AGENT_NAME, agent_name, **known)


class ExecuteTool(_Internal):
    """One call of a tool in this process (GenAI semconv, "Execute tool").

    Args:
        telemetry: What to emit with.
        name: The tool's name.
        tool_type: ``function`` where the application executes it.
        agent_name: The agent that executes it; default is the one the context works for.
        parent: The context to work in; default is the current one.
        start_time: Nanoseconds since the epoch, if the call began before it was known.
    """

    __slots__ = ("_agent", "_tool_type")

    def __init__(
        self,
        telemetry: Telemetry,
        name: str,
        *,
        tool_type: str | None = values.ToolType.FUNCTION.value,
        agent_name: str | None = None,
        parent: Context | None = None,
        start_time: int | None = None,
    ) -> None:
        parent = get_current() if parent is None else parent
        self._agent = agent_scope(parent)
        self._tool_type = tool_type
        agent_name = agent_name or (self._agent.name if self._agent else None)
        first = {attr.GEN_AI_TOOL_TYPE: tool_type, attr.GEN_AI_AGENT_NAME: agent_name}
        super().__init__(
            telemetry,
            values.Operation.EXECUTE_TOOL,
            attr.GEN_AI_TOOL_NAME,
            name,
            parent=parent,
            start_time=start_time,
            **{key: value for key, value in first.items() if value},
        )

    def _finish(self) -> None:
        if self._agent is not None:
            self._agent.add_tool()
        super()._finish()

    def measure(self) -> None:
        """Duration."""
        measured = {key: self._first[key] for key in _TOOL_MEASURED if key in self._first}
        self.telemetry.instruments.record(
            metrics.GEN_AI_EXECUTE_TOOL_DURATION,
            self.duration,
            {**measured, **self.error_attributes},
            self.context,
        )


_TOOL_MEASURED = (attr.GEN_AI_TOOL_NAME, attr.GEN_AI_TOOL_TYPE, attr.GEN_AI_AGENT_NAME)


class Step(Operation):
    """A span of ours for what the conventions have no span for: a task, a guardrail, human input.

    Its attributes live under ``otel_agents.*``; it has no ``gen_ai.operation.name``.
    """

    __slots__ = ()

    def __init__(
        self,
        telemetry: Telemetry,
        name: str,
        attributes: dict[str, Any],
        *,
        parent: Context | None = None,
    ) -> None:
        super().__init__(telemetry, name, SpanKind.INTERNAL, attributes, parent=parent)
        self.context = official.unannounced(claims.unclaimed(self.context))
