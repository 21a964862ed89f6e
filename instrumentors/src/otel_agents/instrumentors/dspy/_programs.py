"""Programs: the outermost one is a workflow, those within it are steps, some are agents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import InvokeAgent, InvokeWorkflow, Operation, Step
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.parts import text_message

from ._names import nature_of, program_name, program_of, step_name
from ._optimizers import apart

__all__ = ["AROUND", "EXAMPLE", "TRACING", "Example", "run"]

AROUND: Final = Slot("dspy-program", bool)
"""Whether the code that runs now is DSPy's: what its own programs call is their own affair."""

_TRAJECTORY: Final = "trajectory"
"""What agents return besides the outputs of their signature."""
_HISTORY: Final = ("history", "dspy.adapters.types.history")
"""The same of ``ReActV2``, and the module of its class: others return one that is an output."""


class Example:
    """One example of an evaluation, and the context of the program that ran on it."""

    __slots__ = ("context",)

    def __init__(self) -> None:
        self.context: Context | None = None


EXAMPLE: Final = Slot("dspy-example", Example)
TRACING: Final = Slot("dspy-tracing", bool)
"""Whether an optimizer makes the outermost program return a tuple: prediction and trace."""


def run(telemetry: Telemetry, call: Call) -> Operation | None:
    """Start at ``Module.__call__(…)`` and ``acall``; a program of DSPy's own has no inner steps."""
    program = program_of(call.instance)
    around, nature = AROUND.get(), nature_of(program)
    if around is None:
        operation: Operation = _outermost(
            telemetry, call, InvokeAgent if nature.agent else InvokeWorkflow
        )
    elif nature.agent:
        operation = InvokeAgent(
            telemetry, program_name(program), input=_input(call.kwargs), output=_output
        )
    elif around and nature.built_in:
        return None
    else:
        operation = Step(telemetry, nature.step_type, step_name(program))
    operation.context = AROUND.set(nature.runs_built_in, operation.context)
    return operation


def _outermost(
    telemetry: Telemetry, call: Call, kind: type[InvokeAgent | InvokeWorkflow]
) -> Operation:
    parent, links = apart()
    traced, example = TRACING.get(), EXAMPLE.get()
    operation = kind(
        telemetry,
        program_name(call.instance),
        input=_input(call.kwargs),
        output=_traced_output if traced else _output,
        parent=parent,
        links=links,
    )
    if traced:
        operation.context = TRACING.set(None, operation.context)
    if example is not None and example.context is None:
        example.context = operation.context
    return operation


def _input(inputs: Mapping[str, Any]) -> Callable[[], list[Message]] | None:
    return (lambda: [text_message("user", dict(inputs))]) if inputs else None


def _output(prediction: Any) -> Callable[[], list[Message]]:
    return lambda: [text_message("assistant", _plain(prediction))]


def _traced_output(result: tuple[Any, ...]) -> Callable[[], list[Message]]:
    prediction, *_ = result
    return _output(prediction)


def _plain(prediction: Any) -> Any:
    items = getattr(prediction, "items", None)
    if items is None:
        return prediction
    return {name: value for name, value in items() if not _is_step(name, value)}


def _is_step(name: str, value: Any) -> bool:
    return name == _TRAJECTORY or (name, type(value).__module__) == _HISTORY
