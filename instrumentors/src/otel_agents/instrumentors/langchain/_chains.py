"""Which span a run of a chain, a graph or a node has, if it has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, Final, TypeAlias

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Operation, Step
from otel_agents.instrumentors._core.operations.runs import Run
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.semconv import attributes as attr

from ._graphs import GRAPHS, Graph
from ._messages import state_input, state_output
from ._names import Announcements, given_name
from ._runs import RUNS, Node, key_of

__all__ = ["Details", "in_tool", "on_composite", "serialized_name", "start"]

Details: TypeAlias = Mapping[str, Any]
"""What LangChain reports with the start of a run: ``run_id``, ``parent_run_id``, ``name``,
``run_type``, and ``tags`` and ``metadata`` with those of the runs that called it."""

_HIDDEN: Final = "langsmith:hidden"
"""The tag of runs that LangGraph does not show either."""

_COMPOSITES: Final = Announcements[bool]("otel_agents_composites")
"""The composites that the application named. LangChain reports one that streams as a function, and
LangGraph a function as a composite."""

_Begin: TypeAlias = Callable[[Context], Operation]


def serialized_name(serialized: Mapping[str, Any] | None) -> str | None:
    """Return the name in the description of an object that LangChain passes to callbacks."""
    if not serialized:
        return None
    name = serialized.get("name") or (serialized.get("id") or [None])[-1]
    return str(name) if name else None


def start(telemetry: Telemetry, name: str | None, inputs: Any, details: Details) -> None:
    """Start a chain, with a span if it has one.

    Args:
        telemetry: What to emit with.
        name: The name that it was given, or that of its class or function.
        inputs: Its input.
        details: What LangChain reports with it.
    """
    parent_id = key_of(details.get("parent_run_id"))
    above = RUNS.find(parent_id) if parent_id is not None else RUNS.current()
    node = above.facts if above is not None else None
    graph, own = GRAPHS.take(name), None
    if graph is not None:
        begin, own = _graph(telemetry, graph, name, inputs, details, node)
    elif above is None:
        begin = _workflow(telemetry, InvokeWorkflow, given_name(name), inputs, details)
    elif node is not None and (kind := _kind_of_node(name, details, node)):
        begin, own = _node(telemetry, kind, name, details, above)
    else:
        begin = _part(telemetry, name, details, above)
    RUNS.start(key_of(details["run_id"]), parent_id, begin, facts=own)


def on_composite(telemetry: Telemetry, call: Call) -> None:
    """Observe ``invoke(input, config)`` and ``transform`` of a sequence or of parallel parts."""
    name = as_mapping(call.argument(1, "config")).get("run_name") or call.instance.name
    if RUNS.current() is not None and given_name(name) is not None:
        _COMPOSITES.announce(True, name)


def _graph(
    telemetry: Telemetry,
    graph: Graph,
    run_name: str | None,
    inputs: Any,
    details: Details,
    node: Node | None,
) -> tuple[_Begin, Node]:
    """Start a graph or an agent. In a node that is one graph, its span is the node's."""
    name, number = (node.name, node.number) if node and node.name is not None else (None, None)
    if _has_tag(details, _NODE):
        number = _number(details)
    own = given_name(graph.name)
    named = (own or given_name(run_name)) if graph.is_agent else (given_name(run_name) or own)
    name = named or given_name(graph.entrypoint) or name
    kind = InvokeAgent if graph.is_agent else InvokeWorkflow
    begin = _workflow(telemetry, kind, name, inputs, details, number)
    run_id = key_of(details["run_id"])
    return begin, Node(graph, run_id, _namespace(details), internal=graph.is_agent)


def _workflow(
    telemetry: Telemetry,
    kind: type[InvokeAgent | InvokeWorkflow],
    name: str | None,
    inputs: Any,
    details: Details,
    number: int | None = None,
) -> _Begin:
    def begin(parent: Context) -> Operation:
        operation = kind(
            telemetry,
            name,
            input=state_input(inputs),
            output=state_output,
            parent=_in_conversation(details, parent),
        )
        if number is not None:
            operation.attributes[attr.OTEL_AGENTS_STEP_NUMBER] = number
        return operation

    return begin


def _in_conversation(details: Details, parent: Context) -> Context:
    """Return ``parent`` in the run's conversation; an id that the application set is kept."""
    metadata = _metadata(details)
    found = metadata.get("thread_id") or metadata.get("session_id")
    if not found or conversation_id(parent) is not None:
        return parent
    return with_conversation_id(str(found), parent)


def _kind_of_node(name: str | None, details: Details, above: Node) -> str | None:
    """Return whether this is a node or a task of the functional API; None if it is neither."""
    if _has_tag(details, _NODE):
        return "node"
    namespace = _namespace(details)
    is_own = namespace != above.namespace  # what a node or a task calls inherits it
    return "task" if is_own and namespace.rpartition("|")[2].startswith(f"{name}:") else None


def _node(
    telemetry: Telemetry, kind: str, name: str | None, details: Details, above: Run
) -> tuple[_Begin | None, Node]:
    """Start a node or a task; those of an agent are its own affair."""
    outer: Node = above.facts
    graph = outer.graph
    own = Node(graph, key_of(details["run_id"]), _namespace(details), internal=outer.internal)
    if graph is None or outer.internal or name == graph.entrypoint or _is_hidden(details):
        return None, own
    # LangGraph counts the runs of a thread in the functional API, and not the tasks.
    number = _number(details) if graph.entrypoint is None else None
    if name in graph.single and outer.run_id == above.run_id:
        own.name, own.number = name, number
        return None, own
    return lambda parent: Step(telemetry, kind, name, number=number, parent=parent), own


def _part(telemetry: Telemetry, name: str | None, details: Details, above: Run) -> _Begin | None:
    """Start what another run calls: only a composite that the application named is shown."""
    if not _COMPOSITES.take(name):
        node: Node | None = above.facts
        of_node = node is not None and node.run_id == above.run_id and _has_tag(details, _PART)
        if "run_type" in details or of_node or (node is not None and node.internal):
            return None
    given = given_name(name)
    if given is None:
        return None
    return lambda parent: Step(telemetry, "chain", given, parent=parent)


_NODE: Final = "graph:step:"
"""The start of a tag that only a node of a graph has, and not what it calls."""
_PART: Final = "seq:step:"
"""The start of a tag of the parts of a sequence."""


def _has_tag(details: Details, start: str) -> bool:
    for tag in details.get("tags") or ():  # noqa: SIM110  a generator costs more, at each node
        if tag.startswith(start):
            return True
    return False


def _is_hidden(details: Details) -> bool:
    return _HIDDEN in (details.get("tags") or ())


def _metadata(details: Details) -> Mapping[str, Any]:
    return details.get("metadata") or {}


def _number(details: Details) -> int | None:
    """Return the number of a node's step in the graph; tasks of the functional API have none."""
    step = _metadata(details).get("langgraph_step")
    return step if isinstance(step, int) and step > 0 else None


def _namespace(details: Details) -> str:
    """Return where LangGraph keeps the state of a node; what the node calls inherits it."""
    return str(_metadata(details).get("langgraph_checkpoint_ns", ""))


def in_tool(run_id: Any, parent_id: Any) -> Node | None:
    """Return the facts of a tool: what it calls is the application's, also in an agent."""
    above = RUNS.find(parent_id) if parent_id is not None else RUNS.current()
    node = above.facts if above is not None else None
    return replace(node, run_id=run_id, name=None, internal=False) if node is not None else None
