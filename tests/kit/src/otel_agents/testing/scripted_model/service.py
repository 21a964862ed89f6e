"""Serving one request: run the script, wait, send the reply, record it in the ledger."""

from __future__ import annotations

import logging
import re
import time
from collections import deque
from collections.abc import Callable, Sequence
from threading import Event, Lock
from typing import Protocol

from otel_agents.testing.scripted_model.dialect import (
    Endpoint,
    Exchange,
    Frame,
    ModelRequest,
    Refused,
    Reply,
)
from otel_agents.testing.scripted_model.ledger import Entry, Ledger
from otel_agents.testing.scripted_model.memory import Memory
from otel_agents.testing.scripted_model.numbers import Numbers
from otel_agents.testing.scripted_model.reactions import (
    Abort,
    Disconnect,
    ErrorEvent,
    Failure,
    Paced,
    Reaction,
    Response,
    Usage,
)
from otel_agents.testing.scripted_model.rules import default_response

_logger = logging.getLogger("otel_agents")

Script = Callable[[ModelRequest], Reaction]


class Connection(Protocol):
    """The connection to the client; each method raises OSError if the client has gone."""

    def send(self, reply: Reply) -> None:
        """Send a whole reply."""
        ...

    def start(self, reply: Reply) -> None:
        """Send the head of a stream."""
        ...

    def send_chunk(self, data: bytes) -> None:
        """Send one chunk of a stream."""
        ...

    def finish_stream(self) -> None:
        """End a stream properly."""
        ...

    def gone(self) -> bool:
        """Return whether the client has closed its side."""
        ...

    def drop(self, reply: Reply | None = None) -> None:
        """Close at once; of `reply`, send the head and half the body first."""
        ...


class Service:
    """The model behind the HTTP server: script, numbers, memory, ledger."""

    def __init__(self, endpoints: Sequence[Endpoint], ledger: Ledger) -> None:
        self.ledger = ledger
        self._endpoints = endpoints
        self._numbers = Numbers()
        self._memory = Memory()
        self._lock = Lock()
        self._queue: deque[Reaction] = deque()
        self._rule: Script = default_response
        self._gates: set[Event] = set()  # those that somebody waits for
        self._closing = Event()

    def queue(self, reactions: Sequence[Reaction]) -> None:
        """Return these for the next requests, in order of arrival."""
        self._queue.extend(reactions)

    def rule(self, script: Script) -> None:
        """Set the function that reacts when the queue is empty."""
        self._rule = script

    def close(self) -> None:
        """Release everything that waits, now and later."""
        with self._lock:
            self._closing.set()
            for gate in self._gates:
                gate.set()

    def endpoint(self, method: str, path: str) -> tuple[Endpoint, re.Match[str]] | None:
        """Return the row of the table for a request, with the match of its path."""
        for endpoint in self._endpoints:
            match = endpoint.path.search(path)
            if match and endpoint.method == method:
                return endpoint, match
        return None

    def serve(self, endpoint: Endpoint, request: ModelRequest, connection: Connection) -> None:
        """Serve one request."""
        number = self.ledger.open(_entry(request))
        try:
            self._react(number, endpoint, request, connection)
        except OSError:  # the client has gone, or the model is closing: nothing was sent
            self.ledger.withdraw_usage(number)
            connection.drop()
        finally:
            self.ledger.end(number)

    def _react(
        self, number: int, endpoint: Endpoint, request: ModelRequest, connection: Connection
    ) -> None:
        reaction = self._reaction(endpoint, request)
        self._pace(reaction, connection)
        if isinstance(reaction, Disconnect):
            self.ledger.end(number, failed=True)
            connection.drop()
            return
        if isinstance(reaction, Failure):
            self._fail(number, endpoint, reaction, connection)
            return
        try:
            reply = endpoint.write(self._exchange(endpoint, request, reaction))
        except Refused as refusal:
            self._fail(number, endpoint, refusal.failure, connection)
            return
        if reply.response_id is not None:
            self.ledger.identify(number, reply.response_id)
        if reply.frames is None:
            self._send(number, reply, reaction, connection)
        else:
            self._stream(number, endpoint, reply, reaction, connection)

    def _reaction(self, endpoint: Endpoint, request: ModelRequest) -> Reaction:
        if not endpoint.scripted:
            return Response()
        with self._lock:
            if self._queue:
                return self._queue.popleft()
        try:
            return self._rule(request)
        except Exception as error:  # noqa: BLE001  of a test's script: its author must see this
            message = f"The script of the scripted model failed: {error!r}"
            _logger.error(message)
            return Failure(400, "script_failed", message)

    def _exchange(self, endpoint: Endpoint, request: ModelRequest, response: Response) -> Exchange:
        usage = response.usage or (self._numbers.usage() if endpoint.scripted else Usage())
        return Exchange(request, response, usage, int(time.time()), self._numbers, self._memory)

    def _fail(
        self, number: int, endpoint: Endpoint, failure: Failure, connection: Connection
    ) -> None:
        self.ledger.end(number, http_status=failure.status, failed=True)
        body = endpoint.error(failure)
        connection.send(Reply(body, status=failure.status, headers=failure.headers))

    def _send(self, number: int, reply: Reply, response: Response, connection: Connection) -> None:
        if isinstance(response.fault, Abort):
            self.ledger.end(number, failed=True)
            connection.drop(reply)
            return
        self._record_usage(number, reply.response_id, reply.usage)
        self.ledger.end(number, http_status=reply.status)
        connection.send(reply)

    def _stream(
        self,
        number: int,
        endpoint: Endpoint,
        reply: Reply,
        response: Response,
        connection: Connection,
    ) -> None:
        frames, broken = _with_fault(endpoint, reply.frames or (), response)
        connection.start(reply)
        delivered: Usage | None = None
        try:
            for position, frame in enumerate(frames):
                self._pause(position, response, connection)
                usage = reply.usage if frame.has_usage else frame.usage
                self._record_usage(number, reply.response_id, usage)
                if position == len(frames) - 1:  # a client may stop reading at the last event
                    self.ledger.end(number, http_status=reply.status, failed=broken)
                connection.send_chunk(frame.data)
                delivered = usage or delivered
            self.ledger.end(number, http_status=reply.status, failed=broken)
            if isinstance(response.fault, Abort):
                connection.drop()
            else:
                connection.finish_stream()
        except OSError:
            if delivered is None:
                raise
            # The client has read this usage and left: it stays billed.
            self._record_usage(number, reply.response_id, delivered)
            connection.drop()

    def _pause(self, position: int, response: Response, connection: Connection) -> None:
        """Hold or delay a stream before the event at ``position``."""
        if response.hold and response.hold.after == position:
            self._wait(response.hold.gate, connection)
        if position and response.chunk_delay:
            self._sleep(response.chunk_delay, connection)

    def _record_usage(self, number: int, response_id: str | None, usage: Usage | None) -> None:
        if usage is not None and response_id is not None:
            self.ledger.record_usage(number, response_id, usage)

    def _pace(self, reaction: Paced, connection: Connection) -> None:
        if reaction.delay:
            self._sleep(reaction.delay, connection)
        if reaction.gate is not None:
            self._wait(reaction.gate, connection)

    def _sleep(self, seconds: float, connection: Connection) -> None:
        if self._closing.wait(seconds) or connection.gone():
            raise ConnectionAbortedError("closed while the response was awaited")

    def _wait(self, gate: Event, connection: Connection) -> None:
        with self._lock:
            if not self._closing.is_set():
                self._gates.add(gate)
        if not self._closing.is_set():
            gate.wait()
        with self._lock:
            self._gates.discard(gate)
        self._sleep(0, connection)


def _with_fault(
    endpoint: Endpoint, frames: tuple[Frame, ...], response: Response
) -> tuple[tuple[Frame, ...], bool]:
    """Return the frames to send, and whether the stream breaks."""
    fault = response.fault
    if fault is None:
        return frames, False
    sent = frames[: fault.after]
    if isinstance(fault, Abort):
        return sent, True
    if isinstance(fault, ErrorEvent):
        return (*sent, endpoint.event_error(fault, fault.after)), True
    return (*sent, Frame(b'data: {"id": "brok\n\n')), True


def _entry(request: ModelRequest) -> Entry:
    return Entry(
        number=-1,  # the ledger numbers it
        kind=request.kind,
        api=request.api,
        method=request.method,
        path=request.path,
        model=request.model,
        streamed=request.stream,
        headers=request.headers,
        body=request.body,
    )
