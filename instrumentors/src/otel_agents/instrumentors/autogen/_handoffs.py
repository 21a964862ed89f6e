"""Handing over by the edges of a graph."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import create_key, get_current, get_value, set_value

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.operations.handoffs import hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._runs import TeamRun, team_run

__all__ = ["checked", "selected", "spoken"]

_SPEAKER: Final = create_key("otel_agents-autogen-speaker")


def spoken(telemetry: Telemetry) -> Begin:
    """``GraphFlowManager.update_message_thread(messages)``: an agent has spoken last."""

    def begin(call: Call) -> Running | None:
        messages: Any = call.args[0] if call.args else call.kwargs["messages"]
        return Passing(set_value(_SPEAKER, messages[-1].source)) if messages else None

    return begin


class _Checked(Passing):
    def __init__(self, run: TeamRun, origin: str, target: str) -> None:
        super().__init__(get_current())
        self._run = run
        self._way = (origin, target)

    def returned(self, value: Any) -> Any:
        """Whether the edge is open."""
        if value:
            self._run.ways.append(self._way)
        return value


def checked(telemetry: Telemetry) -> Begin:
    """``DiGraphEdge.check_condition(message)``, of an edge that leads away from the speaker."""

    def begin(call: Call) -> Running | None:
        run, speaker, edge = team_run(), get_value(_SPEAKER), call.instance
        if run is None or not isinstance(speaker, str):
            return None
        return _Checked(run, speaker, edge.target)

    return begin


class _Selected(Passing):
    def __init__(self, telemetry: Telemetry, run: TeamRun) -> None:
        super().__init__(get_current())
        self._telemetry = telemetry
        self._run = run

    def returned(self, value: Any) -> Any:
        """Tell of the edges that led to the agents whose turn it is."""
        taken = [way for way in self._run.ways if way[1] in value]
        self._run.ways = [way for way in self._run.ways if way[1] not in value]
        for origin, target in taken:
            hand_over(self._telemetry, origin, target, self.context)
        return value


def selected(telemetry: Telemetry) -> Begin:
    """``GraphFlowManager.select_speaker(thread)``."""

    def begin(call: Call) -> Running | None:
        run = team_run()
        return _Selected(telemetry, run) if run is not None else None

    return begin
