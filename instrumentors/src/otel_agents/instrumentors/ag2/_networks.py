"""Networks: what is sent between agents by way of a hub, and who handles it."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import hand_over
from otel_agents.instrumentors._core.tables import A_DAY, Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._runs import DELIVERY, LIMIT, RUNS, Run, is_agent

__all__ = ["closed", "delivered", "dispatched", "sent"]

_PROTOCOL: Final = ("ag2.channel.", "ag2.context.", "ag2.expectation.", "ag2.task.")
"""Beginnings of the events that no agent takes a turn for."""
_WORKFLOW: Final = "workflow"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
"""How AG2's hub marks its messages where it traces."""
_HANDLING: Final[Bounded[tuple[str, str], Observation]] = Bounded(
    LIMIT, evicted=Observation.end, seconds=A_DAY
)
"""The messages on their way: what their handling will be, each taken by it once."""


def _key(frame: Any) -> tuple[str, str]:
    return frame.envelope.envelope_id, frame.recipient_id


class _Dispatch:
    """A message goes to its recipients; a run begins with the first agent here that gets it."""

    def __init__(self, telemetry: Telemetry, hub: Any, envelope: Any, metadata: Any) -> None:
        self._sender = get_current()
        self._known = telemetry, hub, envelope, metadata
        self._opens = not envelope.event_type.startswith(_PROTOCOL)
        self._run = run = RUNS.get(metadata.channel_id)
        if run is not None and self._opens:
            run.keep(envelope)
            _tell_of_handoff(telemetry, hub, envelope, metadata, run)
        self._held = run.hold() if run is not None else None

    def send(self, frame: Any) -> None:
        """To one recipient in this process."""
        hub = self._known[1]
        if self._run is None and self._opens and is_agent(hub, frame.recipient_id):
            self._run = Run(*self._known, self._sender)
            self._held = self._run.hold()
        run = self._run
        _HANDLING.put(_key(frame), Observation(self._sender) if run is None else run.hold())

    def end(self) -> None:
        """It was sent to everyone."""
        if self._held is not None:
            self._held.end()


_DISPATCH: Final = Slot("ag2-dispatch", _Dispatch)


def dispatched(telemetry: Telemetry, call: Call) -> Observation:
    """``Hub._dispatch(envelope, metadata)``: a message was accepted and goes to its recipients."""
    dispatch = _Dispatch(telemetry, call.instance, *call.args)
    return Observation(_DISPATCH.set(dispatch), ended=dispatch.end)


def _tell_of_handoff(
    telemetry: Telemetry, hub: Any, envelope: Any, metadata: Any, run: Run
) -> None:
    """An agent's turn is over, and the graph says who is next; by a tool it was the model."""
    routing: dict[str, Any] = envelope.event_data.get("routing") or {}
    if metadata.manifest.type != _WORKFLOW or routing.get("kind") == "handoff":
        return
    state = hub.adapter_state(metadata.channel_id)
    following, most = state.expected_next_speaker, state.graph_data.get("max_turns")
    over = most is not None and state.turn_count >= most
    if following and following != envelope.sender_id and not over:
        origin, target = hub.name_for(envelope.sender_id), hub.name_for(following)
        hand_over(telemetry, origin, target, run.context)


def sent(telemetry: Telemetry, call: Call) -> None:
    """``LocalLinkEndpoint.send_frame(frame)``: a queue leads to who handles it."""
    dispatch, frame = _DISPATCH.get(), call.args[0]
    if dispatch is not None and getattr(frame, "kind", None) == "notify":
        dispatch.send(frame)


def delivered(telemetry: Telemetry, call: Call) -> Observation:
    """``HubClient._dispatch_notify_safe(frame)``: the recipient handles a message to the end.

    What another process has sent comes in whatever context the connection was opened in.
    """
    frame = call.args[0]
    handling = _HANDLING.pop(_key(frame))
    if handling is not None:
        return handling
    outside = DELIVERY.set(None, set_span_in_context(INVALID_SPAN))
    known = getattr(frame.envelope, "trace_id", None)
    return Observation(_PROPAGATOR.extract({"traceparent": known} if known else {}, outside))


def closed(telemetry: Telemetry, call: Call, result: Any) -> None:
    """``Hub.close()``: what nobody has handled will not be."""
    for run in RUNS.values():
        if run.hub is call.instance:
            run.end()
