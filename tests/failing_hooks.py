"""The law of failing hooks: whatever of an instrumentor fails, each operation is a span that ends.

Each method by which a framework describes an operation is broken in turn, and each start, after
it has started its operation. A conversation then has the same spans and errors as before.
"""

from __future__ import annotations

import importlib
import pkgutil
from collections import Counter
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any
from unittest import mock

from otel_agents.instrumentors import AgentInstrumentor, ClaimedCall, Operation, _dialects
from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls import around
from otel_agents.instrumentors._core.operations import in_progress
from otel_agents.instrumentors._core.tables import Counts
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting

__all__ = ["check_failing_hooks"]

_HOOKS = ("chunk", "complete", "conclude", "describe", "error_to_report", "is_failure", "respond",
          "response_id")  # fmt: skip

Converse = Callable[[], object]


class Broken(Exception):
    """An internal error."""


def check_failing_hooks(
    instrumentor: type[AgentInstrumentor], converse: Converse, *others: type[AgentInstrumentor]
) -> int:
    """Break each hook and each start in turn; return how many there were.

    ``converse`` returns the same result each time.
    """
    instrumentors = (instrumentor, *others)
    expected = _recorded(instrumentors, converse)
    breaks = [*_hooks(instrumentor), None]
    with mock.patch.object(errors, "strict", False), mock.patch.object(errors, "counts", Counts()):
        for broken in breaks:
            with _begins_and_fails() if broken is None else _fails(*broken):
                assert _recorded(instrumentors, converse) == expected, broken
    return len(breaks)


def _recorded(
    instrumentors: tuple[type[AgentInstrumentor], ...], converse: Converse
) -> tuple[object, Any]:
    """Return the result of the conversation, the names of its spans, and their errors."""
    emission = Emission()  # no conformance check: descriptions are missing
    with instrumenting(emission, *(kind() for kind in instrumentors)) as instrument:
        instrument(OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT="SPAN_ONLY")
        result = converse()
    spans = Counter(
        (span.name, (span.attributes or {}).get("error.type")) for span in emission.spans
    )
    emission.close()
    assert in_progress.operations() == []
    return result, spans


def _hooks(instrumentor: type[AgentInstrumentor]) -> Iterator[tuple[type[Any], str]]:
    """Yield the hooks of the classes that the instrumentor's package uses and its own or a dialect's."""
    package = importlib.import_module(instrumentor.__module__)
    packages = (package.__name__, _dialects.__name__)
    for kind in dict.fromkeys(_operations(package)):
        if kind.__module__.startswith(packages):
            yield from ((kind, name) for name in _HOOKS if name in vars(kind))


def _operations(package: ModuleType) -> Iterator[type[Any]]:
    for found in pkgutil.iter_modules(package.__path__):
        module = importlib.import_module(f"{package.__name__}.{found.name}")
        for kind in vars(module).values():
            if isinstance(kind, type) and issubclass(kind, (Operation, ClaimedCall)):
                yield from kind.__mro__


def _fails(kind: type[Any], name: str) -> Any:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise Broken

    return mock.patch.object(kind, name, fail)


def _begins_and_fails() -> Any:
    """Have each start fail after it has started an operation."""
    begin = around.begin

    def beginning(start: Callable[..., Any], *args: Any) -> Any:
        def failing(*given: Any) -> Any:
            observer = start(*given)
            if isinstance(observer, Operation):
                raise Broken
            return observer

        return begin(failing, *args)

    return mock.patch.object(around, "begin", beginning)
