"""Operations that a library knows by ids of its own, as of callbacks: started, found, ended by id.

LangChain's run ids, the span ids of OpenAI's Agents SDK and of LlamaIndex's dispatcher: a callback
tells the id of what starts and that of its parent, and is called wherever it happens to be.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls import around
from otel_agents.instrumentors._core.calls.reporting import end
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.tables import A_DAY, Bounded

from .operation import Operation

__all__ = ["Run", "Runs"]

_LIMIT: Final = 16384


@dataclass(eq=False, slots=True)
class Run:
    """What has one id; without an operation it is only a place between its parent and its children.

    Attributes:
        context: The context in which its own work runs.
        operation: What records it, None where it is not shown, and once it has ended.
        root: The outermost run that it is part of.
        ids: Of a root: those of all that is in progress in it, the outermost first.
    """

    context: Context
    operation: Operation | None
    root: Run = field(init=False)
    ids: dict[Hashable, None] = field(default_factory=dict[Hashable, None])


class Runs:
    """The runs in progress, by foreign id; all of it that ends when its root does.

    Example:
        >>> runs = Runs("example")
        >>> def on_start(telemetry, run_id, parent_id, name):
        ...     runs.start(run_id, parent_id, lambda parent: InvokeAgent(
        ...         telemetry, name, parent=parent))
        >>> def on_end(run_id, result):
        ...     runs.end(run_id, lambda operation: operation.returned(result))

    Args:
        name: For people who look at a context.
        limit: How many runs may be in progress; of more the oldest are ended.
    """

    def __init__(self, name: str, limit: int = _LIMIT) -> None:
        self._runs: Bounded[Hashable, Run] = Bounded(limit, evicted=_end, seconds=A_DAY)
        self._slot: Slot[Run] = Slot(f"run-{name}", Run)

    def start(
        self,
        run_id: Hashable,
        parent_id: Hashable | None,
        begin: Callable[[Context], Operation | None],
    ) -> Context:
        """Start what has ``run_id``; the context in which its own work runs.

        What had the same id, and has not ended, ends now: nobody could tell of its end.

        Args:
            run_id: Its id.
            parent_id: The id of what it is part of, None for a root.
            begin: Starts the operation in the context that it is given; None to show nothing.
        """
        try:
            self.end(run_id)
        except Exception:
            errors.internal_error("ending an operation")
        above = self._runs.get(parent_id) if parent_id is not None else None
        parent = self.parent_context(parent_id)
        operation = around.begin(begin, parent)
        run = Run(parent if operation is None else operation.context, operation)
        run.root = run if above is None else above.root
        run.root.ids[run_id] = None
        run.context = self._slot.set(run, run.context)
        if operation is not None:
            operation.context = run.context
        self._runs.put(run_id, run)
        return run.context

    def parent_context(self, parent_id: Hashable | None) -> Context:
        """The context for a child of ``parent_id``.

        The current one where it lies in that run already: what the application has put between, a
        span of its own, stays between.
        """
        current = get_current()
        above = self._runs.get(parent_id) if parent_id is not None else None
        if above is None or self._slot.get(current) is above:
            return current
        return above.context

    def find(self, run_id: Hashable) -> Run | None:
        """What has ``run_id``; None where it is not in progress."""
        return self._runs.get(run_id)

    def context_of(self, run_id: Hashable) -> Context | None:
        """The context in which the work of ``run_id`` runs; None where it is not in progress."""
        run = self._runs.get(run_id)
        return run.context if run is not None else None

    def current(self, context: Context | None = None) -> Run | None:
        """The innermost run that ``context`` (default: the current one) lies in."""
        return self._slot.get(context)

    def end(self, run_id: Hashable, report: Callable[[Operation], object] = Operation.end) -> None:
        """End what has ``run_id``; with a root what is left of it ends too.

        Args:
            run_id: Its id; one that is not in progress is let pass.
            report: Tells the operation what became of it: its result or its error.
        """
        run = self._runs.pop(run_id)
        if run is None:
            return
        run.root.ids.pop(run_id, None)
        if run.root is run:
            for other in reversed(list(run.ids)):
                below = self._runs.pop(other)
                if below is not None:
                    _end(below)
        operation, run.operation = run.operation, None  # its context has the run in it
        if operation is not None:
            try:
                report(operation)
            finally:
                operation.end()

    def fail(self, run_id: Hashable, error: BaseException) -> None:
        """End what has ``run_id`` with ``error``."""
        self.end(run_id, lambda operation: operation.failed(error))

    def __len__(self) -> int:
        return len(self._runs)


def _end(run: Run) -> None:
    operation, run.operation = run.operation, None
    if operation is not None:
        end(operation)
