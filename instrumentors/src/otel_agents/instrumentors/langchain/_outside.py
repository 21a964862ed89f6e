"""What surrounds runs: a batch of them, a conversation's history, a graph on another server."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import with_conversation_id
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed
from otel_agents.semconv import attributes as attr

from ._names import given_name
from ._runs import RUNS, Node, leaves_graph

__all__ = ["batch", "history_context", "remote_graph"]

_BATCH: Final = Slot("langchain-batch", Step)
_SESSION: Final = "session_id"


def batch(telemetry: Telemetry, call: Call) -> Step | None:
    """Start ``Runnable.batch(inputs, …)`` and its kin: one call of the application is one trace.

    Below a run, or below another batch as that of what a runnable is bound to, it is no step.
    """
    inputs = listed(call.argument(0, "inputs"))
    if not inputs or _BATCH.get() is not None or RUNS.current() is not None:
        return None
    name = given_name(getattr(call.instance, "name", None))
    step = Step(telemetry, "batch", name, count=len(inputs))
    step.context = _BATCH.set(step, step.context)
    return step


def history_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Return the context for a call of ``RunnableWithMessageHistory``: its session's conversation.

    LangChain does not pass on the session's id to the callbacks.
    """
    config = as_mapping(call.argument(1, "config"))
    settings = as_mapping(config.get("configurable"))
    keys = [getattr(one, "id", "") for one in listed(call.instance.history_factory_config)]
    key = keys[0] if len(keys) == 1 else _SESSION
    session = settings.get(key)
    return with_conversation_id(str(session)) if session else None


class _RemoteGraph(Step):
    """One run of a graph on another server."""

    __slots__ = ()

    def is_failure(self, error: BaseException) -> bool:
        """Return whether it failed; an interrupt on the other server is raised here too."""
        return not leaves_graph(error)


def remote_graph(telemetry: Telemetry, call: Call) -> Step:
    """Start ``RemoteGraph.stream(input, …)`` and ``astream``, which send to another server."""
    graph: Any = call.instance
    run = RUNS.current()
    node: Any = run.facts if run is not None else None
    number = node.number if isinstance(node, Node) and node.name is not None else None
    name = getattr(graph, "name", None) or getattr(graph, "assistant_id", None)
    step = _RemoteGraph(telemetry, "remote_graph", name, number=number)
    thread = as_mapping(as_mapping(call.argument(1, "config")).get("configurable")).get("thread_id")
    if thread:
        step.attributes[attr.GEN_AI_CONVERSATION_ID] = str(thread)
    return step
