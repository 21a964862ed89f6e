"""The work in progress by the ids of the dispatcher's spans, what each is, and when it ends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import AsyncGeneratorType, GeneratorType
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.proxies import follow_returned_generator
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.operations import Operation, Runs

if TYPE_CHECKING:
    from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

__all__ = [
    "RUNS",
    "WAITING",
    "Entered",
    "Work",
    "current_work",
    "follow_generator_of",
    "follow_response",
    "given_class",
    "is_a",
    "keep_in_context",
]

RUNS: Final = Runs("llama-index")

WAITING: Final = "WaitingForEvent"
"""Raised where a step or a tool waits for an event: it is run again when that arrives."""

_PACKAGES: Final = ("llama_index.", "workflows.")
_GENERATORS: Final = (GeneratorType, AsyncGeneratorType)


@dataclass(eq=False, slots=True)
class Entered:
    """A method that the dispatcher has entered.

    Attributes:
        telemetry: What to emit with.
        span_id: The dispatcher's id.
        name: The method's name.
        instance: The object whose method it is; None for a function.
        arguments: Its arguments by name.
        above: The work that it is part of, None if the application calls it.
    """

    telemetry: Telemetry
    span_id: str
    name: str
    instance: Any
    arguments: Mapping[str, Any]
    above: Work | None


@dataclass(eq=False, slots=True)
class Work:
    """What one of the dispatcher's spans stands for.

    Attributes:
        span_id: The dispatcher's id.
        kind: The group of its method: ``query``, ``tool``, ``workflow``, …
        subject: The object whose method runs.
        begin: Starts its operation; None links what is above it to what is below.
        parent: The context to start it in; default is the current one.
        ending: Called with its result instead of ending it.
        failing: Called with its error before it fails.
        state: What its kind keeps while it runs.
        atomic: Whether ``begin`` does nothing after it has started the operation.
        outer: The context that was current before.
    """

    span_id: str
    kind: str
    subject: object
    begin: Callable[[Context], Operation | None] | None = None
    parent: Context | None = None
    ending: Callable[[Work, Any], object] | None = None
    failing: Callable[[Work, BaseException], object] | None = None
    state: Any = None
    atomic: bool = False
    outer: Context = field(default_factory=Context)

    def end(self, result: Any) -> None:
        """End it with its result."""
        RUNS.returned(self.span_id, result)


def current_work() -> Work | None:
    """Return the innermost work of the current context that is in progress."""
    run = RUNS.current()
    if run is None or not isinstance(run.facts, Work):
        return None
    return run.facts if RUNS.find(run.facts.span_id) is run else None


def follow_response(work: Work, result: Any) -> None:
    """End the work with a response; with a streaming one when its generator ends."""
    if not follow_generator_of(work, result, "response_gen"):
        work.end(result)


def follow_generator_of(work: Work, holder: Any, name: str) -> bool:
    """Follow the generator in a field, and end the work with it; False if it has none."""
    fields, generator = _generator_of(holder, name)
    run = RUNS.find(work.span_id)
    operation = run.operation if run is not None else None
    if generator is None or operation is None:
        return False
    operation.when_ended.append(lambda: RUNS.end(work.span_id))
    fields[name] = follow_returned_generator(generator, operation)
    return True


def keep_in_context(holder: Any, name: str) -> None:
    """Keep the generator in a field in the current context, whoever reads it, and wherever."""
    fields, generator = _generator_of(holder, name)
    if generator is not None:
        fields[name] = follow_returned_generator(generator, Observation())


def _generator_of(holder: Any, name: str) -> tuple[dict[str, Any], Any]:
    """Return the fields of an object, and the generator in one of them; None if it has none."""
    fields: dict[str, Any] = getattr(holder, "__dict__", {})
    generator = fields.get(name)
    return fields, generator if type(generator) in _GENERATORS else None


def given_class(instance: object) -> str | None:
    """Return the name of a class that the application wrote; None for LlamaIndex's own."""
    kind = type(instance)
    return None if kind.__module__.startswith(_PACKAGES) else kind.__name__


def is_a(instance: object, name: str) -> bool:
    """Return whether ``instance`` is of LlamaIndex's class ``name``, which need not be imported."""
    return any(
        kind.__name__ == name and kind.__module__.startswith(_PACKAGES)
        for kind in type(instance).__mro__
    )
