"""The operations behind the blocks: those of the instrumentors, started for the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry.trace import SpanContext, get_current_span

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import CallObserver, Observation
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.context.tools import ToolScope
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import (
    ExecuteTool,
    Handoff,
    InvokeAgent,
    InvokeWorkflow,
    Memory,
    Retrieval,
    Step,
)
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from ._contexts import CONTEXTS
from ._emitting import telemetry
from ._messages import arguments, document, first_text, given, memory_record, messages, sequence
from ._models import model_start
from ._yielded import Yielding

if TYPE_CHECKING:
    from ._blocks import Block

__all__ = ["block_start", "call_start"]

_Given: TypeAlias = "Callable[[], Any] | None"
"""Reads the arguments of a decorated function; None for a block that is entered by ``with``."""
_UNNAMED: Final = "unnamed"


def block_start(block: Block, telemetry: Telemetry) -> CallObserver | None:
    """Start the operation of ``block``, which is entered by ``with``."""
    return STARTS[block.kind](telemetry, block.name, block.options, None, None)


def call_start(block: Block, function: Callable[..., Any]) -> Start:
    """Return the start for calls of ``function``, which is decorated with ``block``."""
    start = STARTS[block.kind]
    name = block.name or getattr(function, "__name__", None)
    options = block.options

    def starting(_: Telemetry, call: Call) -> CallObserver | None:
        return start(telemetry(), name, options, function, call)

    return starting


class _Workflow(Yielding, InvokeWorkflow):
    __slots__ = ("_yielded",)


class _Agent(Yielding, InvokeAgent):
    __slots__ = ("_yielded",)


class _Tool(Yielding, ExecuteTool):
    __slots__ = ("_yielded",)


class _Retrieval(Yielding, Retrieval):
    __slots__ = ("_yielded",)

    def respond(self, value: Any) -> None:
        """Record the documents that a decorated function returned."""
        if self.content.enabled:
            self.content.retrieval_documents = Items(sequence(value), document)


class _MemorySearch(Memory):
    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record what a decorated function found in the memory."""
        if isinstance(value, (list, tuple)):
            self.record(sequence(value), memory_record)


def _workflow(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    return _Workflow(telemetry, name, input=_input(function, call), output=_output)


def _agent(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    model = options.get("model")
    agent = _Agent(telemetry, name, model=model, input=_input(function, call), output=_output)
    description = options.get("description")
    if description:
        agent.attributes[attr.GEN_AI_AGENT_DESCRIPTION] = description
    return agent


def _input(function: Callable[..., Any] | None, call: Call | None) -> _Given:
    if function is None or call is None:
        return None
    return lambda: messages("user", given(function, call))


def _output(value: Any) -> list[Any] | None:
    return messages("assistant", value)


_IMPLEMENTING: Final = Slot("implemented-tool", ToolScope)
"""The framework's tool whose implementation runs."""


def _tool(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    """Start a tool, unless the function is what a framework's tool of the same name runs.

    That call is recorded already. If the function calls itself, that is another one.
    """
    above = scope_of().tool
    if above is not None and above.name == name and _is_implementation(above):
        return Observation(_IMPLEMENTING.set(above))
    if function is not None and _is_called_by_another(above, name):
        return Observation(_CALLED_IN.set(get_current_span().get_span_context()))
    tool = _Tool(
        telemetry,
        name or _UNNAMED,
        call_id=options.get("call_id"),
        result=_identical,
        **({"tool_type": options["type"]} if options.get("type") else {}),
    )
    if options.get("description"):
        tool.attributes[attr.GEN_AI_TOOL_DESCRIPTION] = options["description"]
    if function is not None and call is not None and tool.content.enabled:
        tool.content.tool_arguments = arguments(function, call)
    return tool


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


def _step(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    return Step(
        telemetry,
        options.get("type") or "step",
        name,
        number=options.get("number"),
        count=options.get("count"),
    )


def _handoff(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    agent = scope_of().agent
    origin = options.get("origin") or (agent.name if agent is not None else None)
    return Handoff(telemetry, origin, name or _UNNAMED)


def _retrieval(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    retrieval = _Retrieval(
        telemetry,
        data_source=name,
        provider=options.get("provider"),
        model=options.get("model"),
        server=options.get("server"),
    )
    if options.get("top_k") is not None:
        retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = options["top_k"]
    if function is not None and call is not None and retrieval.content.enabled:
        retrieval.content.retrieval_query = first_text(function, call)
    return retrieval


def _memory(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    operation = values.Operation(f"{options['operation']}_memory")
    searches = operation is values.Operation.SEARCH_MEMORY
    memory = (_MemorySearch if searches else Memory)(
        telemetry,
        operation,
        store=options.get("store"),
        provider=options.get("provider"),
        server=options.get("server"),
    )
    if function is None or call is None:
        return memory
    if not searches:
        first = next(iter(arguments(function, call).values()), None)
        memory.record(sequence(first), memory_record)
    elif memory.content.enabled:
        memory.content.memory_query = first_text(function, call)
    return memory


def _within(
    telemetry: Telemetry,
    name: str | None,
    options: Mapping[str, Any],
    function: Callable[..., Any] | None,
    call: Call | None,
) -> CallObserver:
    return Observation(CONTEXTS[options["change"]](options))


_Starting: TypeAlias = (
    "Callable[[Telemetry, str | None, Mapping[str, Any], Any, Any], CallObserver | None]"
)
STARTS: Final[Mapping[str, _Starting]] = MappingProxyType(
    {
        "workflow": _workflow,
        "agent": _agent,
        "tool": _tool,
        "step": _step,
        "handoff": _handoff,
        "retrieval": _retrieval,
        "memory": _memory,
        "context": _within,
        "inference": model_start(values.Operation.CHAT),
        "embeddings": model_start(values.Operation.EMBEDDINGS),
    }
)
"""The start of each kind of block."""
