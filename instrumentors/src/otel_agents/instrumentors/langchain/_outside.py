"""What surrounds runs: a batch, another server, LangSmith's tracing."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.scope import conversation_id
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.operations.runs import Batch
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, listed
from otel_agents.instrumentors.settings import Prefer
from otel_agents.semconv import attributes as attr

from ._conversations import conversations_of, with_batched_conversations
from ._names import LABELS, Labels, given_name
from ._runs import INTERRUPTED, RUNS, InRun, Node, is_interrupt, report_interrupt

__all__ = [
    "batch",
    "generation",
    "langsmith_export",
    "langsmith_span",
    "remote_graph",
]

_log = logging.getLogger("otel_agents")
_LANGSMITHS: Final = "langsmith.internal_provider"
"""The attribute of the resource of the provider that LangSmith makes if there is none."""
_DROPPED: Final = (
    "otel-agents: LangSmith's OpenTelemetry mode records the runs and model calls that otel-agents "
    "records, with the same tracer provider, so its spans are dropped; its upload goes on. Set "
    "LANGSMITH_OTEL_ENABLED=false to disable it, or OTEL_AGENTS_PREFER=theirs to keep its spans as "
    "well"
)
_logged: Final[ByObject[Telemetry, None]] = ByObject()
"""Whose LangSmith spans have been logged as dropped."""


class _Batch(Step):
    """A batch of runs."""

    __slots__ = ("_batch",)

    def __init__(
        self,
        telemetry: Telemetry,
        name: str | None,
        count: int,
        conversations: dict[int, deque[str]] | None = None,
    ) -> None:
        super().__init__(telemetry, "batch", name, count=count)
        self._batch = Batch()
        self.context = RUNS.in_batch(self._batch, self.context)
        if conversations:
            self.context = with_batched_conversations(conversations, self.context)

    def has_reported(self, error: BaseException) -> bool:
        """Return whether one of its runs has reported ``error``."""
        return self._batch.has_reported(error)


def batch(telemetry: Telemetry, call: Call) -> Step | None:
    """Start ``Runnable.batch(inputs, …)`` and its kin: one call of the application is one trace.

    Below a run, or below another batch as that of what a runnable is bound to, it is no step.
    """
    inputs = listed(call.argument(0, "inputs"))
    if not inputs or RUNS.batch() is not None or RUNS.current() is not None:
        return None
    conversations = conversations_of(call.instance, inputs, call.argument(1, "config"))
    return _Batch(telemetry, _name_of_runs(call), len(inputs), conversations)


def generation(telemetry: Telemetry, call: Call) -> Step | None:
    """Start ``generate(messages, …)`` of a model with several inputs, outside of any run."""
    inputs = listed(call.argument(0, "messages") or call.kwargs.get("prompts"))
    if len(inputs) < 2 or RUNS.batch() is not None or RUNS.current() is not None:
        return None
    return _Batch(telemetry, None, len(inputs))


def _name_of_runs(call: Call) -> str | None:
    """Return the name that the application gave what is batched, or what that is bound to."""
    bound = getattr(call.instance, "bound", None)
    configs = (call.argument(1, "config"), getattr(call.instance, "config", None))
    names = (
        *(as_mapping(config).get("run_name") for config in configs),
        *(getattr(it, "name", None) for it in (call.instance, bound)),
    )
    return next(filter(None, map(given_name, names)), None)


def langsmith_export(telemetry: Telemetry, call: Call) -> Any:
    """Drop the runs of ``OTELExporter.export_batch(…)`` that would be exported with ours.

    Without a provider of its own LangSmith's OpenTelemetry mode takes the global one, and records
    each run and each model call there, with its content and its usage.
    """
    return None if _is_dropped(telemetry, call.instance) else call.proceed()


def langsmith_span(telemetry: Telemetry, call: Call) -> Any:
    """Make no span of LangSmith's the current one within our runs: ours would leave the trace.

    In its OpenTelemetry mode ``@traceable`` makes a span current that nobody records, and whose
    trace id is LangSmith's. LangSmith's own spans get their parents from its run tree, and where
    they are dropped, ours have no parent among them.
    """
    exporter = getattr(getattr(call.argument(0, "run_tree"), "client", None), "otel_exporter", None)
    within = RUNS.current() is not None
    return None if within or _is_dropped(telemetry, exporter) else call.proceed()


def _is_dropped(telemetry: Telemetry, exporter: Any) -> bool:
    """Return whether spans of LangSmith's exporter are dropped, and log it once."""
    tracer = getattr(exporter, "_tracer", None)
    resource = getattr(getattr(tracer, "resource", None), "attributes", {})
    if tracer is None or _LANGSMITHS in resource or not telemetry.emits_through(tracer):
        return False
    if telemetry.settings.prefer is Prefer.THEIRS:
        return False
    if telemetry not in _logged:
        _logged[telemetry] = None
        _log.warning(_DROPPED)
    return True


class _RemoteGraph(InRun, Step):
    """One run of a graph on another server."""

    __slots__ = ("_interrupted",)

    def __init__(self, telemetry: Telemetry, name: str | None, number: int | None) -> None:
        super().__init__(telemetry, "remote_graph", name, number=number)
        self._interrupted = False

    def chunk(self, item: Any) -> object:
        """Report an interrupt that the caller gets, once: several modes of a stream have it."""
        requests = None if self._interrupted else _interrupts_in(item)
        if requests:
            self._interrupted = True
            self.set_outcome(INTERRUPTED)
            report_interrupt(self.telemetry, requests, self.context)
        return None

    def is_failure(self, error: BaseException) -> bool:
        """Return whether it failed; in a node, an interrupt is raised and the node reports it."""
        if is_interrupt(error):
            self.set_outcome(INTERRUPTED)
        return super().is_failure(error)


def _interrupts_in(item: Any) -> Sequence[Any]:
    """Return the interrupts in a part of a stream: its data, alone or in a tuple."""
    parts: Sequence[Any] = listed(item) or [item]
    found = (
        listed(as_mapping(part).get(name))
        for part in parts
        for name in ("__interrupt__", "interrupts")
    )
    return next(filter(None, found), ())


def remote_graph(telemetry: Telemetry, call: Call) -> Step:
    """Start ``RemoteGraph.stream(input, …)`` and ``astream``, which send to another server."""
    graph: Any = call.instance
    run = RUNS.current()
    node: Any = run.facts if run is not None else None
    number = node.number if isinstance(node, Node) and node.name is not None else None
    name = getattr(graph, "name", None) or getattr(graph, "assistant_id", None)
    step = _RemoteGraph(telemetry, name, number)
    config = as_mapping(call.argument(1, "config"))
    labels = Labels(listed(config.get("tags")), as_mapping(config.get("metadata")))
    labels.record(step.content, LABELS.get(step.context))
    thread = as_mapping(config.get("configurable")).get("thread_id")
    if thread and conversation_id() is None:
        step.attributes[attr.GEN_AI_CONVERSATION_ID] = str(thread)
    return step
