"""Which of several a run is: of those that are asked for together, and of those that run side by side."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import count
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.forking import Lock
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr

__all__ = ["SIBLINGS", "Place", "Siblings", "copied", "repeated", "turn_of"]

_entering: Final = Lock()


class _Repeated(Step):
    """A crew that runs several times: as copies, made in the order of their inputs, or as one again and again.

    Where it is one, others may be made that never run: CrewAI, when it hears that a test begins, makes
    one for its statistics, in a thread of its own, before or after the one that is tested.
    """

    __slots__ = ("_copies", "_count", "_runs", "crew")

    def __init__(
        self,
        telemetry: Telemetry,
        type: str,
        crew: Any,
        count: int | None,
        runs: Iterator[int] | None,
    ) -> None:
        super().__init__(telemetry, type)
        self.crew = crew
        self._count = count
        self._runs = runs
        self._copies: list[tuple[Any, Iterator[int]]] = []
        self.context = _REPEATED.set(self, self.context)

    def copied(self, crew: Any) -> None:
        """``crew`` is the next copy."""
        self._copies.append((crew, self._runs or count(len(self._copies) + 1)))

    def turn(self, crew: Any) -> dict[str, Any]:
        """Which run of how many begins."""
        numbers = next((numbers for copy, numbers in self._copies if copy is crew), None)
        if numbers is None:
            return {}
        number = {attr.OTEL_AGENTS_STEP_NUMBER: next(numbers)}
        return (
            number if self._count is None else {**number, attr.OTEL_AGENTS_STEP_COUNT: self._count}
        )

    def conclude(self) -> None:
        """Let the copies go: a context may live on."""
        self._copies.clear()


_REPEATED: Final = Slot("crewai-repeated", _Repeated)


def repeated(type: str, times: Callable[[Any], int | None], *, by_copy: bool = False) -> Start:
    """A start of several runs.

    Args:
        type: What kind of step they are together.
        times: Reads from the first argument how many they are.
        by_copy: Whether each is of a copy of its own; else they are numbered as they begin.
    """

    def start(telemetry: Telemetry, call: Call) -> Step:
        given = next(iter((*call.args, *call.kwargs.values())), None)
        runs = None if by_copy else count(1)
        return _Repeated(telemetry, type, call.instance, times(given), runs)

    return start


def copied(telemetry: Telemetry, call: Call, copy: Any) -> None:
    """``Crew.copy()``."""
    repeating = _REPEATED.get()
    if repeating is not None and repeating.crew is call.instance:
        repeating.copied(copy)


def turn_of(crew: Any) -> dict[str, Any]:
    """Which run of how many begins with ``crew``, as attributes; none where it is not one of several."""
    repeating = _REPEATED.get()
    return {} if repeating is None else repeating.turn(crew)


class Place:
    """One of the runs of the same name within a method."""

    __slots__ = ("_running", "beside", "number")

    def __init__(self, number: int, running: set[Place]) -> None:
        self.number = number
        """From 1, in the order in which they begin: how many there will be only the program knows."""
        self.beside = bool(running)
        """Whether another one ran at the same time."""
        for other in running:
            other.beside = True
        self._running = running
        running.add(self)

    def leave(self) -> None:
        """The run is over."""
        with _entering:
            self._running.discard(self)


class Siblings:
    """The runs that a method of a flow has begun, by what they are."""

    __slots__ = ("_begun", "_running")

    def __init__(self) -> None:
        self._begun: dict[object, int] = {}
        self._running: dict[object, set[Place]] = {}

    def enter(self, subject: object) -> Place:
        """One more run of ``subject`` begins."""
        with _entering:
            number = self._begun[subject] = self._begun.get(subject, 0) + 1
            return Place(number, self._running.setdefault(subject, set()))


SIBLINGS: Final = Slot("crewai-siblings", Siblings)
"""Of the innermost method; none within a run."""
