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
from otel_agents.instrumentors._core.context.slots import Slot, add
from otel_agents.instrumentors._core.tables import A_DAY, Bounded, Recent

from .operation import Operation

__all__ = ["Batch", "Run", "Runs"]

_LIMIT: Final = 16384
_ERRORS: Final = 8
"""How many errors of its children a run keeps."""
_RELEASED: Final = Context()


@dataclass(eq=False, slots=True)
class Batch:
    """Several roots that one call of the application runs, which raises what one of them raised.

    Attributes:
        raised: What identifies the last errors that each of them, or a call outside, has reported.
    """

    raised: dict[object, tuple[tuple[object, ...], ...]] = field(default_factory=dict[object, Any])

    def has_reported(self, error: BaseException) -> bool:
        """Return whether one of its runs has reported ``error``."""
        identity = _identity(error)
        return any(identity in raised for raised in self.raised.values())


@dataclass(eq=False, slots=True)
class Run:
    """The work with one id. Without an operation it only links its parent to its children.

    Attributes:
        context: The context in which its own work runs.
        operation: What records it; None if it is not shown, and after its end.
        facts: What the library's instrumentor keeps with it; a child starts with its parent's.
        above: The run that it is part of, while both are in progress.
        root: The outermost run that it is part of.
        raised: What identifies the last errors that children of it have reported: several that run
            at once may fail, and the first of their errors goes on.
        ids: The ids of all runs in progress below a root, the outermost first; None for others.
        batch: The batch that a root is part of; None for others.
        run_id: Its id.
    """

    context: Context
    operation: Operation | None
    facts: Any = None
    above: Run | None = None
    root: Run = field(init=False)
    raised: tuple[tuple[object, ...], ...] = ()
    ids: dict[Hashable, None] | None = None
    batch: Batch | None = None
    run_id: Hashable = None

    def passes(self, error: BaseException) -> bool:
        """Return whether a child of it has reported ``error``, which now leaves this run too.

        In a batch, another run may have reported it: a library may end all of them with it.
        """
        if _identity(error) in self.raised:
            return True
        return self.batch is not None and self.batch.has_reported(error)

    def pass_on(self, error: BaseException) -> None:
        """Record that ``error``, which has been reported, leaves this run for the one above."""
        if self.above is not None:
            self.above.reported(error)
        else:
            self.reported(error)

    def reported(self, error: BaseException) -> None:
        """Record that a child of it has reported ``error``."""
        self.raised = (*self.raised[1 - _ERRORS :], _identity(error))
        if self.batch is not None:
            self.batch.raised[self] = self.raised

    def clear_reported(self) -> None:
        """Forget the errors of its children: it goes on, so it has handled them."""
        self.raised = ()
        if self.batch is not None:
            self.batch.raised.pop(self, None)

    def release(self) -> Operation | None:
        """Return the operation, and release everything, since the context holds the run."""
        operation, self.operation, self.above = self.operation, None, None
        self.context = _RELEASED  # anything that starts below has the context already
        return operation


class Runs:
    """The runs in progress, by the library's ids. When a root ends, its whole tree ends.

    Example:
        >>> runs = Runs("example")
        >>> def on_start(telemetry, run_id, parent_id, name):
        ...     runs.start(run_id, parent_id, lambda parent: InvokeAgent(
        ...         telemetry, name, parent=parent))
        >>> def on_end(run_id, result):
        ...     runs.returned(run_id, result)

    Args:
        name: The name of the context key, for debugging.
        limit: The maximum number of runs in progress; beyond it the oldest are ended.
    """

    def __init__(self, name: str, limit: int = _LIMIT) -> None:
        self._slot: Slot[Run] = Slot(f"run-{name}", Run)
        self._batch: Slot[Batch] = Slot(f"batch-{name}", Batch)
        self._runs: Recent[Hashable, Run] = Recent(limit, self._evicted)
        self._roots: Bounded[Hashable, Run] = Bounded(limit, seconds=A_DAY, evicted=self._expired)

    def start(
        self,
        run_id: Hashable,
        parent_id: Hashable | None,
        begin: Callable[[Context], Operation | None] | None,
        *,
        facts: Any = None,
        atomic: bool = False,
        current: Context | None = None,
    ) -> Context:
        """Start the run ``run_id`` and return the context in which its own work runs.

        An unfinished run with the same id ends now, since its end could no longer be identified.

        Args:
            run_id: Its id.
            parent_id: The id of its parent, None for a root.
            begin: Starts the operation in the given context; None, or one that returns None, shows
                nothing.
            facts: What to keep with it; default is its parent's.
            atomic: Whether ``begin`` does nothing after it has started the operation. Then what it
                raises is raised here, and there is no run; that costs less.
            current: The current context, if the caller has looked it up.
        """
        runs, slot = self._runs, self._slot
        if run_id in runs:
            self._end_earlier(run_id)
        above = runs.get(parent_id) if parent_id is not None else None
        parent = get_current() if current is None else current
        if above is not None and parent.get(slot.key) is not above:
            parent = above.context
        if begin is None:
            operation = None
        else:
            operation = begin(parent) if atomic else around.begin(begin, parent)
        run = Run(parent, operation, facts, above, run_id=run_id)
        if operation is None:
            run.context = slot.set(run, parent)
        elif atomic and operation.context is not parent:  # its own, which nobody else has yet
            run.context = operation.context
            add(run.context, slot.key, run)
        else:
            run.context = operation.context = slot.set(run, operation.context)
        if above is None:
            run.root, run.ids, run.batch = run, {}, self._batch.get(parent)
            self._roots.put(run_id, run)
        else:
            run.root = root = above.root
            if root.ids is not None:
                root.ids[run_id] = None
            if above.raised:
                above.clear_reported()
            if facts is None:
                run.facts = above.facts
        runs.put(run_id, run)
        return run.context

    def parent_context(self, parent_id: Hashable | None) -> Context:
        """Return the context for a child of ``parent_id``.

        This is the current context if it is already inside that run: a span that the application
        has started in between stays in between.
        """
        above = self._runs.get(parent_id) if parent_id is not None else None
        current = get_current()
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

    def innermost(self, run_id: Hashable) -> Run | None:
        """Return the run ``run_id`` if it is the innermost of the current context.

        It may have ended, by another thread or with its root: the context from before it must be
        restored all the same.
        """
        run = self._slot.get()
        return run if run is not None and run.run_id == run_id else None

    def end(self, run_id: Hashable, report: Callable[[Operation], object] = Operation.end) -> None:
        """End the run ``run_id``; with a root, everything in it ends too.

        Args:
            run_id: Its id; an id that is not in progress is ignored.
            report: Reports the result or the error to the operation.
        """
        operation = self._remove(run_id)
        if operation is not None:
            try:
                report(operation)
            finally:
                operation.end()

    def returned(self, run_id: Hashable, value: Any) -> None:
        """End the run ``run_id`` with its result ``value``; see `end`."""
        operation = self._remove(run_id)
        if operation is not None:
            try:
                operation.returned(value)
            except BaseException:
                operation.end()
                raise

    def _remove(self, run_id: Hashable) -> Operation | None:
        """Remove a run, end everything in it if it is a root, and return its operation."""
        run = self._runs.pop(run_id, None)
        if run is None:
            return None
        if run.ids is not None:
            self._roots.pop(run_id)
            self._end_below(run)
        elif run.root.ids is not None:
            run.root.ids.pop(run_id, None)
        return run.release()

    def fail(self, run_id: Hashable, error: BaseException) -> None:
        """End the run ``run_id`` with ``error``, which a child of it may have reported already.

        The exception event is emitted where the error was raised, or by the innermost run around
        that with an operation, and not again by each run that it passes on its way out.
        """
        run = self._runs.get(run_id)
        if run is None:
            return
        passes = run.passes(error)
        if passes or run.operation is not None:
            run.pass_on(error)
        self.end(run_id, lambda operation: operation.failed(error, passes=passes))

    def passed(
        self, run_id: Hashable | None, error: BaseException, context: Context | None = None
    ) -> None:
        """Record that something that is no run has reported ``error`` within ``run_id``.

        The default for None is the innermost run of ``context``, by default of the current one.
        """
        run = self._runs.get(run_id) if run_id is not None else self.current(context)
        if run is not None:
            run.reported(error)
            return
        batch = self.batch()
        if batch is not None:
            identity = _identity(error)
            batch.raised[identity] = (identity,)

    def batch(self) -> Batch | None:
        """Return the batch of the current context."""
        return self._batch.get()

    def in_batch(self, batch: Batch, context: Context) -> Context:
        """Return ``context`` with ``batch``: the roots that start in it are part of it."""
        return self._batch.set(batch, context)

    def _end_below(self, root: Run) -> None:
        """End what is in progress in a root, the innermost first."""
        ids, root.ids = root.ids, None
        for run_id in reversed(list(ids or ())):
            below = self._runs.pop(run_id, None)
            if below is not None:
                _end(below)

    def _end_earlier(self, run_id: Hashable) -> None:
        try:
            self.end(run_id)
        except Exception:
            errors.internal_error("ending an operation")

    def _evicted(self, run: Run) -> None:
        """End the oldest run; those below it go on."""
        _end(run)

    def _expired(self, root: Run) -> None:
        """End a root that has expired; those below it go on."""
        for run_id in [run_id for run_id, run in list(self._runs.items()) if run is root]:
            self._runs.pop(run_id, None)
        _end(root)

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
    operation = run.release()
    if operation is not None:
        end(operation)
