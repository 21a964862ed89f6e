"""Networks: which messages a hub sends between agents, and which agent handles each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import get_current
from opentelemetry.trace import INVALID_SPAN, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import hand_over
from otel_agents.instrumentors._core.tables import A_DAY, Bounded
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._network_runs import CURRENT_RUN, LIMIT, RUNS, NetworkRun, is_agent

if TYPE_CHECKING:
    from ag2.network import ChannelMetadata, Envelope, Hub, NotifyFrame

__all__ = ["delivered", "dispatched", "frame_sent", "hub_closed"]

_PROTOCOL_EVENTS: Final = ("ag2.channel.", "ag2.context.", "ag2.expectation.", "ag2.task.")
"""Prefixes of event types that never cause a turn of an agent."""
_WORKFLOW: Final = "workflow"
_PROPAGATOR: Final = TraceContextTextMapPropagator()
"""The format of an envelope's ``trace_id``, which AG2's hub sets where its own tracing is on."""
_DELIVERIES: Final[Bounded[tuple[str, str], Observation]] = Bounded(
    LIMIT, evicted=Observation.end, seconds=A_DAY
)
"""The observations of deliveries that were sent and not yet received, by envelope and recipient."""


def _key(frame: NotifyFrame) -> tuple[str, str]:
    return frame.envelope.envelope_id, frame.recipient_id


class _Dispatch:
    """One message and its recipients. The first agent in this process that gets it starts a run."""

    def __init__(
        self, telemetry: Telemetry, hub: Hub, envelope: Envelope, metadata: ChannelMetadata
    ) -> None:
        self._sender_context = get_current()
        self._telemetry, self._hub = telemetry, hub
        self._envelope, self._metadata = envelope, metadata
        self._causes_turns = not envelope.event_type.startswith(_PROTOCOL_EVENTS)
        self._run = run = RUNS.get(metadata.channel_id)
        if run is not None and self._causes_turns:
            run.keep_message(envelope)
            _record_handoff(telemetry, hub, envelope, metadata, run)
        self._hold = run.hold() if run is not None else None

    def send(self, frame: NotifyFrame) -> None:
        """Send to one recipient that is reached in this process."""
        if self._run is None and self._causes_turns and is_agent(self._hub, frame.recipient_id):
            self._run = NetworkRun(
                self._telemetry, self._hub, self._envelope, self._metadata, self._sender_context
            )
            self._hold = self._run.hold()
        run = self._run
        delivery = Observation(self._sender_context) if run is None else run.hold()
        _DELIVERIES.put(_key(frame), delivery)

    def end(self) -> None:
        """End the dispatch: the message was sent to every recipient."""
        if self._hold is not None:
            self._hold.end()


_DISPATCH: Final = Slot("ag2-dispatch", _Dispatch)


def dispatched(telemetry: Telemetry, call: Call) -> Observation:
    """Observe ``Hub._dispatch(envelope, metadata)``: an accepted message goes to its recipients."""
    dispatch = _Dispatch(telemetry, call.instance, *call.args)
    return Observation(_DISPATCH.set(dispatch), ended=dispatch.end)


def _record_handoff(
    telemetry: Telemetry, hub: Hub, envelope: Envelope, metadata: ChannelMetadata, run: NetworkRun
) -> None:
    """Record a handoff where a turn is over and the workflow's graph names the next agent.

    A handoff by the model is a tool call and not recorded here.
    """
    routing: dict[str, Any] = envelope.event_data.get("routing") or {}
    if metadata.manifest.type != _WORKFLOW or routing.get("kind") == "handoff":
        return
    state: Any = hub.adapter_state(metadata.channel_id)
    next_speaker, max_turns = state.expected_next_speaker, state.graph_data.get("max_turns")
    over = max_turns is not None and state.turn_count >= max_turns
    if next_speaker and next_speaker != envelope.sender_id and not over:
        origin, target = hub.name_for(envelope.sender_id), hub.name_for(next_speaker)
        hand_over(telemetry, origin, target, run.context)


def frame_sent(telemetry: Telemetry, call: Call) -> None:
    """Observe ``LocalLinkEndpoint.send_frame(frame)``, which queues a frame for its recipient."""
    dispatch, frame = _DISPATCH.get(), call.args[0]
    if dispatch is not None and getattr(frame, "kind", None) == "notify":
        dispatch.send(frame)


def delivered(telemetry: Telemetry, call: Call) -> Observation:
    """Observe ``HubClient._dispatch_notify_safe(frame)``: the recipient handles a message.

    A message from another process arrives in the context in which the connection was opened. Its
    parent is the span that the message itself names, if any.
    """
    frame: NotifyFrame = call.args[0]
    delivery = _DELIVERIES.pop(_key(frame))
    if delivery is not None:
        return delivery
    no_span = CURRENT_RUN.set(None, set_span_in_context(INVALID_SPAN))
    traceparent = getattr(frame.envelope, "trace_id", None)
    carrier = {"traceparent": traceparent} if traceparent else {}
    return Observation(_PROPAGATOR.extract(carrier, no_span))


def hub_closed(telemetry: Telemetry, call: Call, result: Any) -> None:
    """End the runs of a hub after ``Hub.close()``: nobody will handle what is still queued."""
    for run in RUNS.values():
        if run.hub is call.instance:
            run.end()
