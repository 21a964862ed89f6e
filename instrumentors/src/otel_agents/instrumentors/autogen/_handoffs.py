"""Handing over by the edges of a graph."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._runs import team_run

__all__ = ["checked", "selected", "spoken"]

_SPEAKER: Final = Slot("autogen-speaker", str)


def spoken(telemetry: Telemetry, call: Call) -> Context | None:
    """``GraphFlowManager.update_message_thread(messages)``: an agent has spoken last."""
    messages: Any = call.argument(0, "messages")
    return _SPEAKER.set(messages[-1].source) if messages else None


def checked(telemetry: Telemetry, call: Call, is_open: Any) -> None:
    """``DiGraphEdge.check_condition(message)``, of an edge that leads away from the speaker."""
    run, speaker = team_run(), _SPEAKER.get()
    if run is not None and speaker is not None and is_open:
        run.ways.append((speaker, call.instance.target))


def selected(telemetry: Telemetry, call: Call, speakers: Any) -> None:
    """``GraphFlowManager.select_speaker(thread)``: by which edges it comes to whose turn it is."""
    run = team_run()
    if run is None:
        return
    taken = [way for way in run.ways if way[1] in speakers]
    run.ways = [way for way in run.ways if way[1] not in speakers]
    for origin, target in taken:
        hand_over(telemetry, origin, target)
