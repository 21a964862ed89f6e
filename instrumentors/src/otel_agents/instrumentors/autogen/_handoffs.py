"""Handoffs along the edges of a graph."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._runs import team_run

__all__ = ["on_edge_checked", "on_speakers_selected", "speaker_context"]

_SPEAKER: Final = Slot("autogen-speaker", str)


def speaker_context(telemetry: Telemetry, call: Call) -> Context | None:
    """Note the last speaker: ``GraphFlowManager.update_message_thread(messages)``."""
    messages: Any = call.argument(0, "messages")
    return _SPEAKER.set(messages[-1].source) if messages else None


def on_edge_checked(telemetry: Telemetry, call: Call, is_open: bool) -> None:
    """Keep an open edge: ``DiGraphEdge.check_condition(message)``, of an edge from the speaker."""
    run, speaker = team_run(), _SPEAKER.get()
    if run is not None and speaker is not None and is_open:
        run.open_edges.append((speaker, call.instance.target))


def on_speakers_selected(telemetry: Telemetry, call: Call, speakers: list[str] | str) -> None:
    """Record the edges that were taken: ``GraphFlowManager.select_speaker(thread)``."""
    run = team_run()
    if run is None:
        return
    taken = [edge for edge in run.open_edges if edge[1] in speakers]
    run.open_edges = [edge for edge in run.open_edges if edge[1] not in speakers]
    for source, target in taken:
        hand_over(telemetry, source, target)
