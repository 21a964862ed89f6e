"""Flows of the application's; those that CrewAI runs its own agents and memory by are not shown."""

from __future__ import annotations

from typing import Any

from otel_agents.instrumentors._core.calls import Begin, Call, Running
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry import Telemetry

from ._runs import Workflow

__all__ = ["flow", "method"]


def _is_internal(instance: Any) -> bool:
    return type(instance).__module__.partition(".")[0] == "crewai"


def flow(telemetry: Telemetry) -> Begin:
    """``Flow.kickoff_async(inputs)``, by which every flow runs."""

    def begin(call: Call) -> Running | None:
        if _is_internal(call.instance) or getattr(call.instance, "stream", False):
            return None
        name = getattr(call.instance, "name", None) or type(call.instance).__name__
        return Workflow(telemetry, name, call)

    return begin


def method(telemetry: Telemetry) -> Begin:
    """``Flow._execute_method(method_name, method, …)``."""

    def begin(call: Call) -> Running | None:
        if _is_internal(call.instance):
            return None
        return Step(telemetry, f"method {call.args[0]}", {})

    return begin
