"""Networks: what is sent between agents by way of a hub, and who handles it."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls import Begin, Call, Running
from otel_agents.instrumentors._core.handoffs import hand_over
from otel_agents.instrumentors._core.passing import Passing
from otel_agents.instrumentors._core.telemetry import Telemetry

from ._conversations import delivered_here
from ._runs import Run, runs

__all__ = ["closed", "delivered", "dispatched", "sent"]

_PROTOCOL: Final = ("ag2.channel.", "ag2.context.", "ag2.expectation.", "ag2.task.")
"""Beginnings of the events that no agent takes a turn for."""
_WORKFLOW: Final = "workflow"


class _Held(Passing):
    """A call that is part of a run, which is not over before the call is."""

    def __init__(self, context: Context, run: Run | None) -> None:
        super().__init__(context)
        self._run = run

    def returned(self, value: Any) -> Any:
        """The call has its result."""
        self.end()
        return value

    def failed(self, error: BaseException) -> None:
        """The call raised."""
        self.end()

    def end(self) -> None:
        """Let the run go."""
        run, self._run = self._run, None
        if run is not None:
            run.release()


def dispatched(telemetry: Telemetry) -> Begin:
    """``Hub._dispatch(envelope, metadata)``: a message was accepted and goes to its recipients."""

    def begin(call: Call) -> Running | None:
        envelope, metadata = call.args
        channel: str = metadata.channel_id
        run = runs.find(channel)
        substantive = not envelope.event_type.startswith(_PROTOCOL)
        if run is not None and substantive:
            run.keep(envelope)
            _tell_of_handoff(telemetry, call.instance, envelope, metadata, run)
        if run is None and substantive:
            run = Run(telemetry, call.instance, envelope, metadata)
            runs.add(channel, run)
        if run is None:
            return None
        run.hold()
        return _Held(run.context, run)

    return begin


def _tell_of_handoff(
    telemetry: Telemetry, hub: Any, envelope: Any, metadata: Any, run: Run
) -> None:
    """An agent's turn is over, and the graph says who is next; by a tool it was the model."""
    routing: dict[str, Any] = envelope.event_data.get("routing", {})
    if metadata.manifest.type != _WORKFLOW or routing.get("kind") == "handoff":
        return
    state = hub.adapter_state(metadata.channel_id)
    following, most = state.expected_next_speaker, state.graph_data.get("max_turns")
    over = most is not None and state.turn_count >= most
    if following and following != envelope.sender_id and not over:
        origin, target = hub.name_for(envelope.sender_id), hub.name_for(following)
        hand_over(telemetry, origin, target, run.context)


def sent(telemetry: Telemetry) -> Begin:
    """``LocalLinkEndpoint.send_frame(frame)``: a queue leads to who handles it."""

    def begin(call: Call) -> None:
        frame = call.args[0]
        if getattr(frame, "kind", None) != "notify":
            return
        run = delivered_here()
        if run is not None:
            run.hold()
        runs.send(frame, get_current(), run)

    return begin


def delivered(telemetry: Telemetry) -> Begin:
    """``HubClient._dispatch_notify_safe(frame)``: the recipient handles a message to the end."""

    def begin(call: Call) -> Running | None:
        found = runs.receive(call.args[0])
        return _Held(*found) if found is not None else None

    return begin


class _Closing(Passing):
    def __init__(self, hub: Any) -> None:
        super().__init__(get_current())
        self._hub = hub

    def returned(self, value: Any) -> Any:
        """What nobody has handled will not be."""
        for run in runs.of(self._hub):
            run.end()
        return value


def closed(telemetry: Telemetry) -> Begin:
    """``Hub.close()``."""

    def begin(call: Call) -> Running | None:
        return _Closing(call.instance)

    return begin
