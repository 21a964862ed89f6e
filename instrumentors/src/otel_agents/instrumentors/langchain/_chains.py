"""Which span a run of a chain, a graph or a node has, if it has any."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import KW_ONLY, dataclass, replace
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.scope import conversation_id, with_conversation_id
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Operation, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.semconv import attributes as attr

from ._graphs import GRAPHS, Graph
from ._messages import state_input, state_output
from ._names import Announcements, given_name, labelled
from ._outside import batched_conversation, conversation_context
from ._runs import RUNS, Node, end_with_task

__all__ = ["ChainStart", "in_tool", "on_composite", "serialized_name", "start"]

_HIDDEN: Final = "langsmith:hidden"
"""The tag of runs that LangGraph does not show either."""

_COMPOSITES: Final = Announcements[bool]("otel_agents_composites", limit=8)
"""The composites that the application named. LangChain reports one that streams as a function, and
LangGraph a function as a composite."""

_Begin = Callable[[Context], Operation | None]


@dataclass(slots=True)
class ChainStart:
    """What LangChain reports when a chain starts.

    Attributes:
        run_id: Its key in `RUNS`.
        parent_id: The key of the run that called it.
        name: The name that it was given, or that of its class or function.
        inputs: Its input.
        tags: Its tags.
        metadata: Its metadata, with those of the runs that called it.
        composite: Whether it consists of others, as a sequence; a function or a prompt does not.
    """

    run_id: Any
    parent_id: Any
    name: str | None
    inputs: Any
    tags: Sequence[str]
    metadata: Mapping[str, Any]
    _: KW_ONLY
    composite: bool

    @property
    def is_node(self) -> bool:
        """Whether it is a node of a graph: only that has the tag, and not what it calls."""
        return _has_tag(self.tags, "graph:step:")

    @property
    def is_part(self) -> bool:
        """Whether it is one of the parts of a sequence."""
        return _has_tag(self.tags, "seq:step:")

    @property
    def number(self) -> int | None:
        """The number of its step in the graph; tasks of the functional API have none."""
        step = self.metadata.get("langgraph_step")
        return step if isinstance(step, int) and step > 0 else None

    @property
    def namespace(self) -> str:
        """Where LangGraph keeps the state of its node; what the node calls inherits it."""
        return str(self.metadata.get("langgraph_checkpoint_ns", ""))


def _has_tag(tags: Sequence[str], start: str) -> bool:
    for tag in tags:  # noqa: SIM110  a generator costs more than the loop, at each node
        if tag.startswith(start):
            return True
    return False


def serialized_name(serialized: Mapping[str, Any] | None) -> str | None:
    """Return the name in the description of an object that LangChain passes to callbacks."""
    if not serialized:
        return None
    name = serialized.get("name") or (serialized.get("id") or [None])[-1]
    return str(name) if name else None


def start(telemetry: Telemetry, run: ChainStart) -> None:
    """Start a chain, with a span if it has one."""
    above = RUNS.find(run.parent_id) if run.parent_id is not None else RUNS.current()
    node = above.facts if above is not None else None
    graph = GRAPHS.take(run.name)
    if graph is not None:
        begin, facts = _graph(telemetry, run, graph, node)
    elif above is None and run.parent_id is None:
        begin, facts = _root(telemetry, run), None
    elif node is not None and run.is_node:
        begin, facts = _node(telemetry, run, node, "node")
    elif node is not None and _is_task(run, node):
        begin, facts = _node(telemetry, run, node, "task")
    else:
        begin, facts = _part(telemetry, run, node), None
    if telemetry.gate.enabled:
        begin = labelled(begin, run.tags, run.metadata)
    RUNS.start(run.run_id, run.parent_id, begin, facts=facts)
    if above is None:
        end_with_task(run.run_id)


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
    telemetry: Telemetry, run: ChainStart, graph: Graph, node: Node | None
) -> tuple[_Begin, Node]:
    """Start a graph or an agent. In a node that is one graph, its span is the node's."""
    name, number = (node.name, node.number) if node and node.name is not None else (None, None)
    if run.is_node:
        number = run.number
    own = given_name(graph.name)
    named = (own or given_name(run.name)) if graph.is_agent else (given_name(run.name) or own)
    name = named or given_name(graph.entrypoint) or name
    kind = InvokeAgent if graph.is_agent else InvokeWorkflow

    def begin(parent: Context) -> Operation:
        operation = kind(
            telemetry,
            name,
            input=state_input(run.inputs),
            output=state_output,
            parent=_in_conversation(run, parent),
        )
        if number is not None:
            operation.attributes[attr.OTEL_AGENTS_STEP_NUMBER] = number
        return operation

    return begin, Node(graph, run.run_id, run.namespace, internal=graph.is_agent)


def _root(telemetry: Telemetry, run: ChainStart) -> _Begin:
    return lambda parent: InvokeWorkflow(
        telemetry,
        given_name(run.name),
        input=state_input(run.inputs),
        output=state_output,
        parent=_in_conversation(run, parent),
    )


def _in_conversation(run: ChainStart, parent: Context) -> Context:
    """Return ``parent`` in the run's conversation; an id that the application set is kept."""
    if conversation_id(parent) is not None:
        return parent
    metadata = run.metadata
    batched = batched_conversation(run.inputs, parent)
    found = metadata.get("thread_id") or batched or metadata.get("session_id")
    if not found:
        return parent
    return with_conversation_id(str(found), parent)


def _is_task(run: ChainStart, node: Node) -> bool:
    """Return whether this is a task, and not something else that a node calls."""
    namespace = run.namespace
    if namespace == node.namespace:
        return False
    return namespace.rpartition("|")[2].startswith(f"{run.name}:")


def _node(telemetry: Telemetry, run: ChainStart, above: Node, kind: str) -> tuple[_Begin, Node]:
    """Start a node or a task; those of an agent are its own affair."""
    graph, name, number = above.graph, run.name, run.number
    own = Node(graph, run.run_id, run.namespace, internal=above.internal)
    if graph is None or above.internal or _HIDDEN in run.tags or name == graph.entrypoint:
        return _nothing, own
    if graph.entrypoint is not None:
        number = None  # LangGraph counts the runs of a thread there, and not the tasks
    if name in graph.single and run.parent_id == above.run_id:
        return _nothing, Node(graph, run.run_id, run.namespace, name, number)

    def begin(parent: Context) -> Operation:
        return Step(telemetry, kind, name, number=number, parent=parent)

    return begin, own


def _part(telemetry: Telemetry, run: ChainStart, node: Node | None) -> _Begin:
    """Start what another run calls: only a composite that the application named is shown.

    The other run may have ended, where a task goes on that it shielded.
    """
    if not _COMPOSITES.take(run.name):
        in_node = node is not None and run.parent_id == node.run_id
        internal = node is not None and node.internal
        if not run.composite or internal or (in_node and run.is_part):
            return _nothing
    name = given_name(run.name)
    if name is None:
        return _nothing
    return lambda parent: Step(telemetry, "chain", name, parent=parent)


def in_tool(run_id: Any, parent_id: Any) -> Node | None:
    """Return the facts of a tool: what it calls is the application's, also in an agent."""
    above = RUNS.find(parent_id) if parent_id is not None else RUNS.current()
    node = above.facts if above is not None else None
    return replace(node, run_id=run_id, name=None, internal=False) if node is not None else None


def _nothing(parent: Context) -> None:
    return None
