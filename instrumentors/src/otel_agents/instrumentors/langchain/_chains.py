"""Which span a run of a chain, a graph or a node has, if it has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.callbacks import guarded_in_context
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Operation, Step
from otel_agents.instrumentors._core.operations.runs import Run
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.semconv import attributes as attr

from ._conversations import conversation_context, in_conversation
from ._graphs import GRAPHS, Graph
from ._messages import state_input, state_output
from ._names import Announcements, given_name, labelled
from ._runs import RUNS, Details, Node, end_with_task, serialized_name

__all__ = ["on_composite", "start"]

_HIDDEN: Final = "langsmith:hidden"
"""The tag of runs that LangGraph does not show either."""

_COMPOSITES: Final = Announcements[bool]("otel_agents_composites", limit=8)
"""The composites that the application named. LangChain reports one that streams as a function, and
LangGraph a function as a composite."""

_NODE: Final = "graph:step:"
"""The start of a tag that only a node of a graph has, and not what it calls."""
_PART: Final = "seq:step:"
"""The start of a tag of the parts of a sequence."""
_EMPTY: Final[Mapping[str, Any]] = MappingProxyType({})

_Begin: TypeAlias = Callable[[Context], Operation]
_Metadata: TypeAlias = Mapping[str, Any]


@guarded_in_context("starting a chain")
def start(
    current: Context,
    telemetry: Telemetry | None,
    serialized: Mapping[str, Any] | None,
    inputs: Any,
    details: Details,
) -> None:
    """Start a chain, with a span if it has one; callers pass no context.

    Args:
        current: The current context.
        telemetry: What to emit with; None for a handler that is not registered.
        serialized: The description of the chain.
        inputs: What it is called with.
        details: What else LangChain reports.
    """
    if telemetry is None:
        return
    name: str | None = details.get("name") or serialized_name(serialized)
    run_id, parent_id = details["run_id"], details.get("parent_run_id")
    run_id, parent_id = getattr(run_id, "int", run_id), getattr(parent_id, "int", parent_id)
    tags, metadata = details.get("tags") or (), details.get("metadata") or _EMPTY
    above = RUNS.find(parent_id) if parent_id is not None else RUNS.current(current)
    graph = GRAPHS.take(name)
    node: Node | None = above.facts if above is not None else None
    own = None
    if graph is not None:
        own = Node(graph, run_id, _namespace(metadata), internal=graph.is_agent)
        number = _number(metadata) if _has_tag(tags, _NODE) else None
        begin = _graph(telemetry, graph, name, number, node, inputs, metadata)
    elif above is None and parent_id is None:
        begin = _workflow(telemetry, InvokeWorkflow, given_name(name), None, inputs, metadata)
    elif (
        above is not None
        and node is not None
        and (kind := "node" if _has_tag(tags, _NODE) else _kind_of_task(name, metadata, node))
    ):
        own = Node(node.graph, run_id, _namespace(metadata), internal=node.internal)
        shown = _HIDDEN not in tags
        begin = _node(telemetry, kind, name, metadata, own, above) if shown else None
    else:
        is_function = "run_type" in details
        begin = _part(telemetry, name, is_function, _has_tag(tags, _PART), above)
    atomic = graph is None
    if telemetry.gate.enabled:
        begin, atomic = labelled(begin, tags, metadata), False
    RUNS.start(run_id, parent_id, begin, facts=own, atomic=atomic, current=current)
    if above is None:
        end_with_task(run_id)


def on_composite(telemetry: Telemetry, call: Call) -> Observation | None:
    """Observe ``invoke(input, config)`` and ``transform`` of a sequence or of parallel parts."""
    if RUNS.current() is None:
        context = conversation_context(telemetry, call)
        return Observation(context) if context is not None else None
    name = as_mapping(call.argument(1, "config")).get("run_name") or call.instance.name
    if given_name(name) is not None:
        _COMPOSITES.announce(True, name)
    return None


def _graph(
    telemetry: Telemetry,
    graph: Graph,
    run_name: str | None,
    number: int | None,
    node: Node | None,
    inputs: Any,
    metadata: _Metadata,
) -> _Begin:
    """Start a graph or an agent. In a node that is one graph, its span is the node's."""
    own, given = given_name(graph.name), given_name(run_name)
    name = ((own or given) if graph.is_agent else (given or own)) or given_name(graph.entrypoint)
    if node is not None and node.name is not None:
        name, number = name or node.name, number or node.number
    kind = InvokeAgent if graph.is_agent else InvokeWorkflow
    return _workflow(telemetry, kind, name, number, inputs, metadata)


def _workflow(
    telemetry: Telemetry,
    kind: type[InvokeAgent | InvokeWorkflow],
    name: str | None,
    number: int | None,
    inputs: Any,
    metadata: _Metadata,
) -> _Begin:
    def begin(parent: Context) -> Operation:
        operation = kind(
            telemetry,
            name,
            input=state_input(inputs),
            output=state_output,
            parent=in_conversation(inputs, metadata, parent),
        )
        if number is not None:
            operation.attributes[attr.OTEL_AGENTS_STEP_NUMBER] = number
        return operation

    return begin


def _kind_of_task(name: str | None, metadata: _Metadata, above: Node) -> str | None:
    """Return whether this is a task of the functional API; None if it is not."""
    namespace = _namespace(metadata)
    is_own = namespace != above.namespace  # what a node or a task calls inherits it
    return "task" if is_own and namespace.rpartition("|")[2].startswith(f"{name}:") else None


def _node(
    telemetry: Telemetry, kind: str, name: str | None, metadata: _Metadata, own: Node, above: Run
) -> _Begin | None:
    """Start a node or a task; those of an agent are its own affair."""
    outer: Node = above.facts
    graph = outer.graph
    if graph is None or outer.internal or name == graph.entrypoint:
        return None
    # LangGraph counts the runs of a thread in the functional API, and not the tasks.
    number = _number(metadata) if graph.entrypoint is None else None
    if name in graph.single and outer.run_id == above.run_id:
        own.name, own.number = name, number
        return None
    return lambda parent: Step(telemetry, kind, name, number=number, parent=parent)


def _part(
    telemetry: Telemetry, name: str | None, is_function: bool, is_part: bool, above: Run | None
) -> _Begin | None:
    """Start what another run calls: only a composite that the application named is shown.

    The other run may have ended, where a task goes on that it shielded.
    """
    if not _COMPOSITES.take(name):
        node: Node | None = above.facts if above is not None else None
        of_node = node is not None and above is not None and node.run_id == above.run_id and is_part
        if is_function or of_node or (node is not None and node.internal):
            return None
    given = given_name(name)
    if given is None:
        return None
    return lambda parent: Step(telemetry, "chain", given, parent=parent)


def _has_tag(tags: Sequence[str], start: str) -> bool:
    for tag in tags:  # noqa: SIM110  a generator costs more than the loop, at each node
        if tag.startswith(start):
            return True
    return False


def _number(metadata: _Metadata) -> int | None:
    """Return the number of a node's step in the graph; tasks of the functional API have none."""
    step = metadata.get("langgraph_step")
    return step if isinstance(step, int) and step > 0 else None


def _namespace(metadata: _Metadata) -> str:
    """Return where LangGraph keeps the state of a node; what the node calls inherits it."""
    return str(metadata.get("langgraph_checkpoint_ns", ""))
