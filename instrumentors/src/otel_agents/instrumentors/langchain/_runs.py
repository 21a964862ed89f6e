"""The runs in progress by LangChain's run ids, and the context in which each one works."""

from __future__ import annotations

import asyncio
import contextvars
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from opentelemetry.context import Context

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.operations import Operation, Runs, Step, interrupted
from otel_agents.instrumentors._core.operations.runs import Run
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed

if TYPE_CHECKING:
    from ._graphs import Graph

__all__ = [
    "INTERRUPTED",
    "ROOTS",
    "RUNS",
    "Details",
    "InRun",
    "Node",
    "context_of_config",
    "context_of_manager",
    "context_of_runnable",
    "end",
    "end_with_task",
    "fail",
    "in_run",
    "interrupt",
    "is_in_graph",
    "is_interrupt",
    "key_of",
    "leaves_graph",
    "report_interrupt",
    "run_above",
    "serialized_name",
]

Details: TypeAlias = Mapping[str, Any]
"""What LangChain reports when a run starts: ``run_id``, ``parent_run_id``, ``name``, ``run_type``,
and ``tags`` and ``metadata`` with those of the runs that called it."""

RUNS: Final = Runs("langchain")


def key_of(run_id: Any) -> Any:
    """Return the key of a run in `RUNS`: the number of its `uuid.UUID`; None for None.

    The hash and the comparison of a UUID are Python functions, and each run needs several.
    """
    return getattr(run_id, "int", run_id)


def run_above(parent_id: Any) -> Run | None:
    """Return the run with the key ``parent_id``; for None, that of the current context."""
    return RUNS.find(parent_id) if parent_id is not None else RUNS.current()


def serialized_name(serialized: Mapping[str, Any] | None) -> str | None:
    """Return the name in the description of an object that LangChain passes to callbacks."""
    if not serialized:
        return None
    name = serialized.get("name") or (serialized.get("id") or [None])[-1]
    return str(name) if name else None


ROOTS: Final[ByObject[asyncio.Task[Any], list[Any]]] = ByObject()
"""The keys of the roots that each task has started, as far as they are in progress."""
INTERRUPTED: Final = "interrupted"
_CALLBACKS: Final = "langgraph.callbacks"


@dataclass(eq=False, slots=True)
class Node:
    """The graph that a run is part of, and the innermost node.

    Attributes:
        graph: The innermost graph; None outside of graphs.
        run_id: The key of the run of the node, or of the graph if no node has started yet.
        namespace: LangGraph's ``langgraph_checkpoint_ns`` of the node; empty for a graph.
        name: The name of a node that is one graph: the graph's span is the node's.
        number: The number of its step in the graph, from 1.
        internal: Whether what it runs is an agent's own affair, except for tools and graphs.
    """

    graph: Graph | None
    run_id: Any
    namespace: str = ""
    name: str | None = None
    number: int | None = None
    internal: bool = False


def context_of_config(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Context | None:
    """Return the context of the run that a ``RunnableConfig`` is for, the first argument.

    LangChain and LangGraph call ``_set_config_context(config)`` inside a fresh copy of the
    `contextvars.Context`, in which the run's code is then executed.
    """
    config: Any = args[0] if args else kwargs.get("config")
    callbacks = config.get("callbacks") if config else None
    run_id = getattr(callbacks, "parent_run_id", None)
    return RUNS.context_of(getattr(run_id, "int", run_id)) if run_id is not None else None


def context_of_runnable(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context of the run in which ``Runnable.ainvoke(input, config)`` is called."""
    config: Any = call.argument(1, "config")
    callbacks = config.get("callbacks") if config else None
    return RUNS.context_of(key_of(getattr(callbacks, "parent_run_id", None)))


def context_of_manager(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context of the run whose manager is passed, which is the one that does the work."""
    manager: Any = call.kwargs.get("run_manager") or call.argument(1, "run_manager")
    return RUNS.context_of(key_of(getattr(manager, "run_id", None)))


@errors.guarded("ending a run")
def end(run_id: Any, result: Any) -> None:
    """End the run that LangChain calls ``run_id`` with its result."""
    RUNS.returned(getattr(run_id, "int", run_id), result)


@errors.guarded("ending a run")
def fail(run_id: Any, error: BaseException) -> None:
    """End the run with the key ``run_id`` with what it raised, which need not be an error.

    A stream that is left raises `GeneratorExit` in each run in progress. LangGraph's
    ``GraphBubbleUp`` is how an interrupt, or a command for a graph above, leaves a node.
    """
    if isinstance(error, GeneratorExit):
        RUNS.end(run_id, Operation.abandoned)
        return
    if not leaves_graph(error):
        RUNS.fail(run_id, error)
    elif is_interrupt(error):
        if _CALLBACKS not in sys.modules:
            _report_interrupt_of(run_id, error)
        RUNS.end(run_id, _interrupted)
    else:
        RUNS.end(run_id)


def end_with_task(run_id: Any) -> None:
    """End the root with the key ``run_id`` when the current task is cancelled.

    LangChain reports no end of a run whose task is cancelled while callbacks report its start, as
    by ``astream_events`` that is left after the first event.
    """
    try:
        task = asyncio.current_task()
    except RuntimeError:  # no event loop is running in this thread
        return
    if task is None:
        return
    roots = ROOTS.get(task)
    if roots is None:
        roots = ROOTS[task] = []
        # Not in the task's own context, which would be kept until its end.
        task.add_done_callback(partial(_end_if_cancelled, roots), context=contextvars.Context())
    roots[:] = [*(root for root in roots if RUNS.find(root) is not None), run_id]


@errors.guarded("ending a chain")
def _end_if_cancelled(roots: Sequence[Any], task: asyncio.Task[Any]) -> None:
    for root in roots if task.cancelled() else ():
        fail(root, asyncio.CancelledError())


def leaves_graph(error: BaseException) -> bool:
    """Return whether ``error`` is none, but an interrupt or a command for a graph above."""
    return _is_a(error, "GraphBubbleUp")


def is_interrupt(error: BaseException) -> bool:
    """Return whether ``error`` is how an interrupt leaves a node."""
    return _is_a(error, "GraphInterrupt")


def _is_a(error: BaseException, name: str) -> bool:
    return any(kind.__name__ == name for kind in type(error).__mro__)


def in_run(run: Run) -> Observation:
    """Observe code of ``run``: make its context current, and end it with what leaves its code.

    Most versions of LangChain report only an `Exception` of a tool or a retriever, so that a
    cancellation or an exit would leave it open.
    """

    def failed(error: BaseException) -> None:
        if not isinstance(error, Exception):
            fail(run.run_id, error)

    return Observation(None if RUNS.current() is run else run.context, failed=failed)


class InRun(Operation):
    """An operation that is no run itself: the runs around it do not report its error again."""

    __slots__ = ()

    def is_failure(self, error: BaseException) -> bool:
        """Return whether it failed; a graph on another server raises its interrupts as well."""
        failure = not leaves_graph(error)
        if failure:
            RUNS.passed(None, error, self.context)
        return failure


def is_in_graph(run: Run) -> bool:
    """Return whether a run is part of a graph that is above it."""
    facts = run.above.facts if run.above is not None else None
    return isinstance(facts, Node) and facts.graph is not None


def interrupt(run: Run, requests: Sequence[Any]) -> None:
    """Emit the event of an interrupt, on the outermost graph that ``run`` is part of."""
    outermost = run
    while outermost.above is not None and is_in_graph(outermost):
        outermost = outermost.above
    if outermost.operation is not None:
        report_interrupt(outermost.operation.telemetry, requests, outermost.context)


def report_interrupt(telemetry: Telemetry, requests: Sequence[Any], context: Context) -> None:
    """Emit the event of an interrupt, on the span of ``context``."""
    values = [
        getattr(request, "value", as_mapping(request).get("value", request)) for request in requests
    ]
    interrupted(telemetry, values[0] if len(values) == 1 else values or None, context)


def _report_interrupt_of(run_id: Any, error: BaseException) -> None:
    """Report the interrupt that a node raises, once; newer versions have a callback for all."""
    run = RUNS.find(run_id)
    if run is not None:
        if not run.passes(error):
            interrupt(run, listed(error.args[0] if error.args else None))
        run.pass_on(error)


def _interrupted(operation: Operation) -> None:
    if isinstance(operation, Step):
        operation.set_outcome(INTERRUPTED)
    operation.end()
