"""What a graph or an agent is, decided by the object: its metadata are inherited by what it calls.

A callback gets a name and no object. So the methods that run a graph announce it, and the run that
starts next is that graph's.
"""

# pyright: reportMissingTypeStubs=false
# langgraph has types, and no py.typed in its folders: several distributions share them.

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, cast

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping

from ._names import Announcements
from ._runs import RUNS, interrupt, is_in_graph, key_of

if TYPE_CHECKING:
    from langgraph.callbacks import GraphInterruptEvent
    from langgraph.pregel.main import Pregel

__all__ = [
    "GRAPHS",
    "Graph",
    "on_executor",
    "on_graph",
    "on_interrupt",
    "on_iterator",
    "on_loop_exit",
]

_AGENT_FACTORIES: Final = ("langchain.agents.factory", "langgraph.prebuilt.chat_agent_executor")
"""The modules whose functions make agents; the nodes of an agent are functions in these."""
_CALL_AGENT: Final = "langgraph_supervisor.supervisor"
"""The module of the function that a supervisor wraps an agent in, to make a node of it."""
_ENTRYPOINT: Final = "__start__"
_EXECUTOR: Final = "AgentExecutor"
_STATIC: Final = ("interrupt_before", "interrupt_after")
"""The states of a loop that has ended at a node for which the graph has a static interrupt."""
_REMOTE: Final = "RemoteGraph"


@dataclass(frozen=True, slots=True)
class Graph:
    """What is known of a graph, or of an ``AgentExecutor``.

    Attributes:
        name: Its own name, which may be the name of a class.
        is_agent: Whether it is an agent, whose nodes are its own affair.
        entrypoint: The function of the functional API that it consists of.
        single: Its nodes that consist of one graph each.
    """

    name: str | None
    is_agent: bool
    entrypoint: str | None = None
    single: frozenset[str] = frozenset()


GRAPHS: Final = Announcements["Graph"]("otel_agents_graphs")
"""The graph whose run starts next."""


def on_graph(telemetry: Telemetry, call: Call) -> None:
    """Observe ``Pregel.stream(input, config, …)`` and ``astream``, which every call passes."""
    graph = _graph_of(call.instance)
    configs = (call.argument(1, "config"), getattr(call.instance, "config", None))
    names = (as_mapping(config).get("run_name") for config in configs)
    GRAPHS.announce(graph, graph.name, *names)


def on_executor(telemetry: Telemetry, call: Call) -> None:
    """Observe a call of ``AgentExecutor`` or any other chain of its kind."""
    _announce(call.instance, as_mapping(call.argument(1, "config")).get("run_name"))


def on_iterator(telemetry: Telemetry, call: Call) -> None:
    """Observe an iteration over ``AgentExecutor.iter(inputs, …)``, which streams pass too."""
    _announce(call.instance.agent_executor, getattr(call.instance, "run_name", None))


def _announce(executor: Any, run_name: str | None) -> None:
    if any(kind.__name__ == _EXECUTOR for kind in type(executor).__mro__):
        name = getattr(executor, "name", None)
        GRAPHS.announce(Graph(name, is_agent=True), name, type(executor).__name__, run_name)


def _graph_of(instance: Pregel[Any, Any, Any, Any]) -> Graph:
    nodes = cast("dict[str, Any]", instance.nodes)
    entrypoint = next(iter(nodes)) if len(nodes) == 1 and _ENTRYPOINT not in nodes else None
    is_agent, single = _is_made_as_agent(instance), list[str]()
    for name, node in nodes.items():  # for each run of a graph: most nodes are functions
        body = getattr(node, "bound", None)
        module = _module_of(body)
        if module in _AGENT_FACTORIES:
            is_agent = True
        if module == _CALL_AGENT or (module is None and _is_graph(body)):
            single.append(name)
    return Graph(instance.name, is_agent, entrypoint, frozenset(single))


def _is_made_as_agent(instance: Any) -> bool:
    metadata = as_mapping(as_mapping(getattr(instance, "config", None)).get("metadata"))
    return metadata.get("ls_integration") == "langchain_create_agent"


def _is_graph(body: Any) -> bool:
    """Return whether the body of a node is a graph, bound with a config or wrapped as it may be."""
    while body is not None and not hasattr(body, "nodes"):
        if _module_of(body) == _CALL_AGENT or type(body).__name__ == _REMOTE:
            return True
        body = getattr(body, "bound", None)
    return body is not None and hasattr(body, "stream_mode")


def _module_of(body: Any) -> str | None:
    """Return the module of the function that a node consists of."""
    function = getattr(body, "func", None) or getattr(body, "afunc", None)
    return getattr(function, "__module__", None) if function is not None else None


def on_interrupt(telemetry: Telemetry, call: Call) -> None:
    """Observe ``on_interrupt(event)`` of a graph's callback manager, once for nested graphs."""
    event: GraphInterruptEvent = call.argument(0, "event")
    run = RUNS.find(key_of(event.run_id)) if event.run_id is not None else None
    if run is not None and not is_in_graph(run):
        interrupt(run, event.interrupts)


def on_loop_exit(telemetry: Telemetry, call: Call) -> None:
    """Observe ``PregelLoop._suppress_interrupt(…)``, which hides a static interrupt.

    A dynamic one has been reported by its node, and one of a nested graph by that graph.
    """
    loop: Any = call.instance
    if loop.status in _STATIC and not loop.is_nested and call.argument(1, "exc_value") is not None:
        run = RUNS.find(key_of(getattr(loop.manager, "run_id", None)))
        if run is not None:
            interrupt(run, ())
