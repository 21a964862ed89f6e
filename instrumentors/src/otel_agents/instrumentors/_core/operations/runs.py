"""Operations that a library identifies by its own ids: start, find and end by id.

Such ids are LangChain's run ids and the span ids of OpenAI's Agents SDK and of LlamaIndex's
dispatcher. A callback gets the id of what starts and that of its parent, and may be called
anywhere.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any, Final

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
    """The work with one id. Without an operation it only links its parent to its children.

    Attributes:
        context: The context in which its own work runs.
        operation: What records it; None if it is not shown, and after its end.
        facts: What the library's instrumentor keeps with it; a child starts with its parent's.
        above: The run that it is part of, while both are in progress.
        root: The outermost run that it is part of.
        raised: What identifies the last error that a child of it has reported.
        ids: For a root: the ids of all runs in progress in it, the outermost first.
    """

    context: Context
    operation: Operation | None
    facts: Any = None
    above: Run | None = None
    root: Run = field(init=False)
    raised: tuple[object, ...] = ()
    ids: dict[Hashable, None] = field(default_factory=dict[Hashable, None])


class Runs:
    """The runs in progress, by the library's ids. When a root ends, its whole tree ends.

    Example:
        >>> runs = Runs("example")
        >>> def on_start(telemetry, run_id, parent_id, name):
        ...     runs.start(run_id, parent_id, lambda parent: InvokeAgent(
        ...         telemetry, name, parent=parent))
        >>> def on_end(run_id, result):
        ...     runs.end(run_id, lambda operation: operation.returned(result))

    Args:
        name: The name of the context key, for debugging.
        limit: The maximum number of runs in progress; beyond it the oldest are ended.
    """

    def __init__(self, name: str, limit: int = _LIMIT) -> None:
        self._runs: Bounded[Hashable, Run] = Bounded(limit, evicted=_end, seconds=A_DAY)
        self._slot: Slot[Run] = Slot(f"run-{name}", Run)

    def start(
        self,
        run_id: Hashable,
        parent_id: Hashable | None,
        begin: Callable[[Context], Operation | None],
        *,
        facts: Any = None,
    ) -> Context:
        """Start the run ``run_id`` and return the context in which its own work runs.

        An unfinished run with the same id ends now, since its end could no longer be identified.

        Args:
            run_id: Its id.
            parent_id: The id of its parent, None for a root.
            begin: Starts the operation in the given context; returns None to show nothing.
            facts: What to keep with it; default is its parent's.
        """
        try:
            self.end(run_id)
        except Exception:
            errors.internal_error("ending an operation")
        above = self._runs.get(parent_id) if parent_id is not None else None
        parent = self.parent_context(parent_id)
        operation = around.begin(begin, parent)
        run = Run(parent if operation is None else operation.context, operation, facts, above)
        if above is not None:
            above.raised = ()
            if facts is None:
                run.facts = above.facts
        run.root = run if above is None else above.root
        run.root.ids[run_id] = None
        run.context = self._slot.set(run, run.context)
        if operation is not None:
            operation.context = run.context
        self._runs.put(run_id, run)
        return run.context

    def parent_context(self, parent_id: Hashable | None) -> Context:
        """Return the context for a child of ``parent_id``.

        This is the current context if it is already inside that run: a span that the application
        has started in between stays in between.
        """
        current = get_current()
        above = self._runs.get(parent_id) if parent_id is not None else None
        if above is None or self._slot.get(current) is above:
            return current
        return above.context

    def find(self, run_id: Hashable) -> Run | None:
        """Return the run ``run_id``; None if it is not in progress."""
        return self._runs.get(run_id)

    def context_of(self, run_id: Hashable) -> Context | None:
        """Return the context in which ``run_id`` works; None if it is not in progress."""
        run = self._runs.get(run_id)
        return run.context if run is not None else None

    def current(self, context: Context | None = None) -> Run | None:
        """Return the innermost run of ``context`` (default: the current one)."""
        return self._slot.get(context)

    def end(self, run_id: Hashable, report: Callable[[Operation], object] = Operation.end) -> None:
        """End the run ``run_id``; with a root, everything in it ends too.

        Args:
            run_id: Its id; an id that is not in progress is ignored.
            report: Reports the result or the error to the operation.
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
        operation, run.operation = run.operation, None  # breaks a cycle: its context holds the run
        run.above = None
        if operation is not None:
            try:
                report(operation)
            finally:
                operation.end()

    def fail(self, run_id: Hashable, error: BaseException) -> None:
        """End the run ``run_id`` with ``error``, which a child of it may have reported already.

        The exception event is emitted where the error was raised, and not again by each run that
        it passes on its way out.
        """
        run = self._runs.get(run_id)
        if run is None:
            return
        raised = _identity(error)
        passes = run.raised == raised
        if run.above is not None:
            run.above.raised = raised
        self.end(run_id, lambda operation: operation.failed(error, passes=passes))

    def passed(self, run_id: Hashable | None, error: BaseException) -> None:
        """Record that something that is no run has reported ``error`` within ``run_id``.

        The default for None is the innermost run of the current context.
        """
        run = self._runs.get(run_id) if run_id is not None else self.current()
        if run is not None:
            run.raised = _identity(error)

    def __len__(self) -> int:
        return len(self._runs)


def _identity(error: BaseException) -> tuple[object, ...]:
    """Return what tells ``error`` from others: where it was raised, and its identity.

    The error itself would keep the application's frames alive. Its identity alone would be that of
    the next error as well, once it is collected.
    """
    innermost = error.__traceback__
    while innermost is not None and innermost.tb_next is not None:
        innermost = innermost.tb_next
    where = (innermost.tb_frame.f_code, innermost.tb_lasti) if innermost is not None else ()
    return (id(error), type(error), *where)


def _end(run: Run) -> None:
    operation, run.operation, run.above = run.operation, None, None
    if operation is not None:
        end(operation)
