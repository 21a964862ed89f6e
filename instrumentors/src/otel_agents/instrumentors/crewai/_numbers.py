"""Numbers of runs: of those that one call starts, and of those that run at the same time."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

if TYPE_CHECKING:
    from crewai.crew import Crew

__all__ = ["RUN_NUMBERS", "NumberedRun", "RunNumbers", "number_of", "on_copy", "repeated"]

_lock: Final = Lock()


class _Repeated(Step):
    """Several runs of a crew: each of its own copy, in the order of the inputs, or all of one copy.

    Args:
        telemetry: What to emit with.
        type: The type of the step.
        crew: The crew that is copied.
        count: How many runs there will be; None if unknown.
        runs: The numbers of the runs, in the order of their start; None if each has its own copy.
    """

    __slots__ = ("_copies", "_count", "_runs", "crew")

    def __init__(
        self,
        telemetry: Telemetry,
        type: str,
        crew: Crew,
        count: int | None,
        runs: Iterator[int] | None,
    ) -> None:
        super().__init__(telemetry, type)
        self.crew = crew
        self._count = count
        self._runs = runs
        self._copies: list[tuple[Crew, Iterator[int]]] = []
        self.context = _REPEATED.set(self, self.context)

    def add_copy(self, crew: Crew) -> None:
        """Add ``crew``, the next copy."""
        # `Crew.test` and `train` run one copy. For the statistics of a test CrewAI makes another
        # in a thread, before or after the first: there the order of the copies says nothing.
        self._copies.append((crew, self._runs or count(len(self._copies) + 1)))

    def next_number(self, crew: Crew) -> dict[str, Any]:
        """Return number and count of the run that starts."""
        numbers = next((numbers for copy, numbers in self._copies if copy is crew), None)
        if numbers is None:
            return {}
        number = {attr.OTEL_AGENTS_STEP_NUMBER: next(numbers)}
        return (
            number if self._count is None else {**number, attr.OTEL_AGENTS_STEP_COUNT: self._count}
        )

    def conclude(self) -> None:
        """Release the copies, as a context with this step may live on."""
        self._copies.clear()


_REPEATED: Final = Slot("crewai-repeated", _Repeated)


def repeated(type: str, count_of: Callable[[Any], int | None], *, by_copy: bool = False) -> Start:
    """Return a start of several runs.

    Args:
        type: The type of the step that encloses them.
        count_of: Reads their count from the first argument.
        by_copy: Whether each runs its own copy; else they are numbered as they start.
    """

    def start(telemetry: Telemetry, call: Call) -> Step:
        argument = next(iter((*call.args, *call.kwargs.values())), None)
        runs = None if by_copy else count(1)
        return _Repeated(telemetry, type, call.instance, count_of(argument), runs)

    return start


def on_copy(telemetry: Telemetry, call: Call, copy: Crew) -> None:
    """Note the result of ``Crew.copy()``."""
    repeating = _REPEATED.get()
    if repeating is not None and repeating.crew is call.instance:
        repeating.add_copy(copy)


def number_of(crew: Crew) -> dict[str, Any]:
    """Return number and count of the run of ``crew``, as attributes; {} if it is the only one."""
    repeating = _REPEATED.get()
    return {} if repeating is None else repeating.next_number(crew)


class NumberedRun:
    """One of the runs with the same name within a method of a flow.

    Attributes:
        number: From 1, in the order of their start; only the program knows how many will follow.
        concurrent: Whether another one ran at the same time.
    """

    __slots__ = ("_running", "concurrent", "number")

    def __init__(self, number: int, running: set[NumberedRun]) -> None:
        self.number = number
        self.concurrent = bool(running)
        for other in running:
            other.concurrent = True
        self._running = running
        running.add(self)

    def end(self) -> None:
        """Note the end of the run."""
        with _lock:
            self._running.discard(self)


class RunNumbers:
    """Numbers of the runs that a method of a flow has started, by operation and name."""

    __slots__ = ("_running", "_started")

    def __init__(self) -> None:
        self._started: dict[object, int] = {}
        self._running: dict[object, set[NumberedRun]] = {}

    def start(self, subject: object) -> NumberedRun:
        """Number one more run of ``subject``."""
        with _lock:
            number = self._started[subject] = self._started.get(subject, 0) + 1
            return NumberedRun(number, self._running.setdefault(subject, set()))


RUN_NUMBERS: Final = Slot("crewai-run-numbers", RunNumbers)
"""Those of the innermost method; None within a run."""
