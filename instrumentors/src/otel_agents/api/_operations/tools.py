"""Tools: a call that a framework, or another library, records already is recorded once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from opentelemetry.trace import SpanContext, get_current_span

from otel_agents.instrumentors._core.calls.reporting import CallObserver, Observation
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.context.tools import ToolScope
from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from .uses import Use
from .yielded import Yielding

__all__ = ["tool"]


class _Tool(Yielding, ExecuteTool):
    __slots__ = ("_yielded",)


_IMPLEMENTING: Final = Slot("implemented-tool", ToolScope)
"""The framework's tool whose implementation runs."""


def tool(use: Use) -> CallObserver:
    """Start a tool, unless the function is what a framework's tool of the same name runs.

    That call is recorded already. If the function calls itself, that is another one.
    """
    above = scope_of().tool
    if above is not None and above.name == use.name and _is_implementation(above):
        return Observation(_IMPLEMENTING.set(above))
    if use.is_call and _is_called_by_another(above, use.name):
        return Observation(_CALLED_IN.set(get_current_span().get_span_context()))
    options = use.options
    started = _Tool(
        use.telemetry,
        use.name or "unnamed",
        call_id=options.get("call_id"),
        result=_identical,
        **({"tool_type": options["type"]} if options.get("type") else {}),
    )
    if options.get("description"):
        started.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = options["description"]
    if use.is_call and started.content.enabled:
        started.content.tool_arguments = use.arguments()
    return started


def _is_implementation(above: ToolScope) -> bool:
    """Return whether nothing is between the framework's tool ``above`` and the current call."""
    operation: Any = above.operation
    if operation is None or isinstance(operation, _Tool) or _IMPLEMENTING.get() is above:
        return False
    span = operation.span.get_span_context()
    return get_current_span().get_span_context() == span


_CALLED_IN: Final = Slot("span-of-implemented-tool", SpanContext)
"""The span of a tool that a library records by itself, or a server of tools, and that runs."""


def _is_called_by_another(above: ToolScope | None, name: str | None) -> bool:
    """Return whether the current span is a call of the tool ``name``, recorded by another library.

    No scope shows such a span: what it has is there to go by, its tool or, where that is set at the
    end (Google's ADK), its name.
    """
    span: Any = get_current_span()
    attributes: Mapping[str, Any] = getattr(span, "attributes", None) or {}
    tool = attributes.get(attr.GEN_AI_TOOL_NAME)
    named = f"{values.Operation.EXECUTE_TOOL.value} {name}"
    if not span.is_recording() or (tool != name and getattr(span, "name", None) != named):
        return False
    operation: Any = above.operation if above is not None else None
    current = span.get_span_context()
    if operation is not None and operation.span.get_span_context() == current:
        return False  # our own span, whose scope has decided
    return _CALLED_IN.get() != current


def _identical(value: Any) -> Any:
    return value
