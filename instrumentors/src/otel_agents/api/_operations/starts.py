"""How each kind of block is started."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from otel_agents.api._emitting import telemetry
from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.calls.reporting import CallObserver, Observation
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import (
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

from .contexts import CONTEXTS
from .messages import document, memory_record, messages, sequence
from .models import embeddings, inference
from .options import checked
from .tools import tool
from .uses import Use
from .yielded import Yielding

if TYPE_CHECKING:
    from otel_agents.api._blocks import Block

__all__ = ["block_start", "call_start"]


def block_start(block: Block, telemetry: Telemetry) -> CallObserver | None:
    """Start the operation of ``block``, which is entered by ``with``."""
    options = checked(block.kind, block.options)
    return STARTS[block.kind](Use(telemetry, block.name, options))


def call_start(block: Block, function: Callable[..., Any]) -> Start:
    """Return the start for calls of ``function``, which is decorated with ``block``."""
    start = STARTS[block.kind]
    name = block.name or getattr(function, "__name__", None)
    options = checked(block.kind, block.options)

    def starting(_: Telemetry, call: Call) -> CallObserver | None:
        return start(Use(telemetry(), name, options, function, call))

    return starting


class _Workflow(Yielding, InvokeWorkflow):
    __slots__ = ("_yielded",)


class _Agent(Yielding, InvokeAgent):
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


def _workflow(use: Use) -> CallObserver:
    return _Workflow(use.telemetry, use.name, input=_input(use), output=_output)


def _agent(use: Use) -> CallObserver:
    model = use.options.get("model")
    agent = _Agent(use.telemetry, use.name, model=model, input=_input(use), output=_output)
    description = use.options.get("description")
    if description:
        agent.attributes[attr.GEN_AI_AGENT_DESCRIPTION] = description
    return agent


def _input(use: Use) -> Callable[[], Any] | None:
    """Return what reads the messages of a call; None for a block that is entered by ``with``."""
    return (lambda: messages("user", use.given())) if use.is_call else None


def _output(value: Any) -> list[Any] | None:
    return messages("assistant", value)


def _step(use: Use) -> CallObserver:
    known = {name: use.options.get(name) for name in ("number", "count")}
    return Step(use.telemetry, use.options.get("type") or "step", use.name, **known)


def _handoff(use: Use) -> CallObserver:
    agent = scope_of().agent
    origin = use.options.get("origin") or (agent.name if agent is not None else None)
    return Handoff(use.telemetry, origin, use.name or "unnamed")


def _retrieval(use: Use) -> CallObserver:
    known = {name: use.options.get(name) for name in ("provider", "model", "server")}
    retrieval = _Retrieval(use.telemetry, data_source=use.name, **known)
    if use.options.get("top_k") is not None:
        retrieval.attributes[attr.GEN_AI_RETRIEVAL_TOP_K] = use.options["top_k"]
    if use.is_call and retrieval.content.enabled:
        retrieval.content.retrieval_query = use.first_text()
    return retrieval


def _memory(use: Use) -> CallObserver:
    operation = values.Operation(f"{use.options['operation']}_memory")
    searches = operation is values.Operation.SEARCH_MEMORY
    known = {name: use.options.get(name) for name in ("store", "provider", "server")}
    memory = (_MemorySearch if searches else Memory)(use.telemetry, operation, **known)
    if use.is_call and not searches:
        memory.record(sequence(use.first()), memory_record)
    elif use.is_call and memory.content.enabled:
        memory.content.memory_query = use.first_text()
    return memory


def _within(use: Use) -> CallObserver:
    return Observation(CONTEXTS[use.options["change"]](use.options))


_Starting: TypeAlias = "Callable[[Use], CallObserver | None]"
STARTS: Final[Mapping[str, _Starting]] = MappingProxyType(
    {
        "workflow": _workflow,
        "agent": _agent,
        "tool": tool,
        "step": _step,
        "handoff": _handoff,
        "retrieval": _retrieval,
        "memory": _memory,
        "context": _within,
        "inference": inference,
        "embeddings": embeddings,
    }
)
"""The start of each kind of block."""
