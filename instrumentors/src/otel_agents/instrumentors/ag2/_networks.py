"""Networks: what is sent between agents by way of a hub, and who handles it."""

from __future__ import annotations

from typing import Any, Final

from opentelemetry.context import Context, create_key, get_current, get_value, set_value
from opentelemetry.trace import INVALID_SPAN, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.calls.passing import Passing
from otel_agents.instrumentors._core.operations.handoffs import hand_over
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry

from ._conversations import with_delivery
from ._runs import Run, is_agent, runs

__all__ = ["closed", "delivered", "dispatched", "sent"]

_PROTOCOL: Final = ("ag2.channel.", "ag2.context.", "ag2.expectation.", "ag2.task.")
"""Beginnings of the events that no agent takes a turn for."""
_WORKFLOW: Final = "workflow"
_DISPATCH: Final = create_key("otel_agents-ag2-dispatch")
_PROPAGATOR: Final = TraceContextTextMapPropagator()
"""By what AG2's hub, if it is told to trace, marks its messages."""


class _Held(Passing):
    """A call that is part of a run, which is not over before the call is."""

    def __init__(self, context: Context, run: Run | None) -> None:
        super().__init__(context)
        self.run: Run | None = run

    def returned(self, value: Any) -> Any:
        """The call has its result."""
        self.end()
        return value

    def failed(self, error: BaseException) -> None:
        """The call raised."""
        self.end()

    def end(self) -> None:
        """Let the run go."""
        run, self.run = self.run, None
        if run is not None:
            run.release()


class _Dispatch(_Held):
    """A message goes to its recipients; a run begins with the first agent here that gets it."""

    def __init__(self, telemetry: Telemetry, hub: Any, envelope: Any, metadata: Any) -> None:
        self._sender = get_current()
        self._known = telemetry, hub, envelope, metadata
        self._opens = not envelope.event_type.startswith(_PROTOCOL)
        run = runs.find(metadata.channel_id)
        if run is not None and self._opens:
            run.keep(envelope)
            _tell_of_handoff(telemetry, hub, envelope, metadata, run)
        super().__init__(set_value(_DISPATCH, self, self._sender), run)
        if run is not None:
            run.hold()

    def send(self, frame: Any) -> None:
        """To one recipient in this process."""
        telemetry, hub, envelope, metadata = self._known
        if self.run is None and self._opens and is_agent(hub, frame.recipient_id):
            self.run = Run(telemetry, hub, envelope, metadata, self._sender)
            runs.add(metadata.channel_id, self.run)
            self.run.hold()
        runs.send(frame, self._sender, self.run)


def dispatched(telemetry: Telemetry) -> Begin:
    """``Hub._dispatch(envelope, metadata)``: a message was accepted and goes to its recipients."""

    def begin(call: Call) -> Running | None:
        return _Dispatch(telemetry, call.instance, *call.args)

    return begin


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


def sent(telemetry: Telemetry) -> Begin:
    """``LocalLinkEndpoint.send_frame(frame)``: a queue leads to who handles it."""

    def begin(call: Call) -> None:
        dispatch, frame = get_value(_DISPATCH), call.args[0]
        if isinstance(dispatch, _Dispatch) and getattr(frame, "kind", None) == "notify":
            dispatch.send(frame)

    return begin


def delivered(telemetry: Telemetry) -> Begin:
    """``HubClient._dispatch_notify_safe(frame)``: the recipient handles a message to the end.

    What another process has sent comes in whatever context the connection was opened in.
    """

    def begin(call: Call) -> Running | None:
        frame = call.args[0]
        found = runs.receive(frame)
        if found is not None:
            return _Held(*found)
        outside = with_delivery(None, set_span_in_context(INVALID_SPAN))
        known = getattr(frame.envelope, "trace_id", None)
        return Passing(_PROPAGATOR.extract({"traceparent": known} if known else {}, outside))

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
