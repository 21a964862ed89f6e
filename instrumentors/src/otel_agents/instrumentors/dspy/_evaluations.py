"""Programs that run over many examples: in parallel, as a batch, or as an evaluation."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.callbacks import guarded
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.carrying import carry
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import Step, evaluated
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import listed

from ._names import class_name, step_name
from ._optimizers import apart
from ._programs import AROUND, EXAMPLE, Example

__all__ = ["batch", "evaluate", "execute", "parallel"]

_METRIC: Final = Slot("dspy-metric", str)
"""The name of the metric of the evaluation that starts to run over its examples."""


def parallel(telemetry: Telemetry, call: Call) -> Step | None:
    """Start at ``Parallel.__call__(exec_pairs, …)``; within a program it is no step."""
    return _step(telemetry, "parallel", None, call.argument(0, "exec_pairs"))


def batch(telemetry: Telemetry, call: Call) -> Step | None:
    """Start at ``Module.batch(examples, …)``; within a program it is no step."""
    return _step(telemetry, "batch", _name(call.instance), call.argument(0, "examples"))


def _step(telemetry: Telemetry, kind: str, name: str | None, examples: Any) -> Step | None:
    if AROUND.get() is not None:
        return None
    parent, links = apart()
    count = len(listed(examples)) or None
    return Step(telemetry, kind, name, count=count, parent=parent, links=links)


def evaluate(telemetry: Telemetry, call: Call) -> Step:
    """Start at ``Evaluate.__call__(program, metric, devset, …)``."""
    metric = call.argument(1, "metric") or call.instance.metric
    examples = listed(call.argument(2, "devset") or call.instance.devset)
    parent, links = apart()
    name = _name(call.argument(0, "program"))
    step = Step(telemetry, "evaluate", name, count=len(examples), parent=parent, links=links)
    step.context = _METRIC.set(class_name(metric), AROUND.set(None, step.context))
    return step


def _name(program: Any) -> str | None:
    """Return the name of a program, or of a function that is evaluated as one."""
    return step_name(program) if hasattr(program, "named_predictors") else class_name(program)


def execute(telemetry: Telemetry, call: Call) -> Observation:
    """Carry the context into ``ParallelExecutor.execute(function, data)``, and what it was before.

    In an evaluation the function returns a tuple that ends with the score of its example.
    """
    function, *others = call.args or (call.kwargs.pop("function"),)
    metric = _METRIC.get()
    if metric is not None:
        function = _scoring(telemetry, metric, function)
    call.args = (carry(function, _METRIC.set(None)), *others)
    return Observation()


def _scoring(telemetry: Telemetry, metric: str, function: Callable[..., Any]) -> Callable[..., Any]:
    @guarded("recording an evaluation")
    def record(example: Example, result: Any) -> None:
        score = _number(listed(result)[-1])
        if score is not None:
            evaluated(telemetry, metric, score, example.context)

    def scoring(*args: Any) -> Any:
        example = Example()
        result = carry(function, EXAMPLE.set(example))(*args)
        record(example, result)
        return result

    return scoring


def _number(score: Any) -> float | None:
    """Return a score as a number; a metric may return a prediction with one."""
    try:
        return float(score)
    except (TypeError, ValueError):
        return None
