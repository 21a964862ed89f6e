"""Clients with middleware, since 0.108: what it sends is recorded below it, each attempt by itself.

A middleware may send a request again or another one, also while its response is read, or none. The
SDK runs all of it again when it retries: then the attempt that failed last goes on.
"""

from __future__ import annotations

import time
from collections import deque
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.finalization import at
from otel_agents.instrumentors._core.calls.reporting import CallObserver, Observation
from otel_agents.instrumentors._core.context import ownership
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import WireFormat
from otel_agents.instrumentors._dialects.fields import text
from otel_agents.instrumentors._sdks.stainless import (
    body_of,
    options_of,
    propagate,
    replace_options,
)
from otel_agents.semconv.values import Operation

from . import _own_spans, _requests, _runner

if TYPE_CHECKING:
    from anthropic import Anthropic, AsyncAnthropic
    from anthropic._models import FinalRequestOptions

    _Client = Anthropic | AsyncAnthropic

__all__ = ["attempt", "request"]


class MiddlewareCall(Observation):
    """One call of a client with middleware, which sends any number of attempts."""

    def __init__(self, telemetry: Telemetry, client: _Client) -> None:
        outer = _runner.parent_for(telemetry, client) or get_current()
        # What the middleware does not send, no layer above has sent.
        ownership.take(Operation.CHAT, outer)
        super().__init__(_CALL.set(self, _own_spans.silenced(telemetry, client, outer)))
        self._held: deque[Attempt] = deque()
        self._over = False

    def hold(self, attempt: Attempt) -> None:
        """Keep an attempt that failed open, for a retry of the SDK."""
        self._held.append(attempt)
        if self._over:
            self._finish(None)

    def resume(self, number: int, model: str | None) -> Attempt | None:
        """Return the attempt that goes on, since the SDK retries the call for this time."""
        resumed = None
        while (held := self._next_held()) is not None:
            if resumed is None and held.number < number and held.generation.model == model:
                resumed = held
            else:
                held.finish(None)
        return resumed

    def failed(self, error: BaseException) -> None:
        """End with what the call raised, which is often what its last attempt failed with."""
        self._finish(error)
        super().failed(error)

    def end(self) -> None:
        """End; a stream that the call returned may send more."""
        self._over = True
        self._finish(None)
        super().end()

    def _finish(self, error: BaseException | None) -> None:
        while (held := self._next_held()) is not None:
            held.finish(error)

    def _next_held(self) -> Attempt | None:
        try:
            return self._held.pop()
        except IndexError:
            return None


_CALL: Final = Slot("anthropic-middleware", MiddlewareCall)


class Attempt(Observation):
    """One request that a middleware sends, and the SDK's retries of it.

    Args:
        generation: What records it.
        call: The call that it belongs to, if known.
        client: The client that sends it.
    """

    number = 0
    """The retries that the SDK has made of the call."""

    def __init__(
        self, generation: _requests.MessageGeneration, call: MiddlewareCall | None, client: _Client
    ) -> None:
        super().__init__(generation.context)
        self.generation = generation
        self._call = call
        self._client = client
        self._error: BaseException | None = None
        self._response: Any = None
        self._failed_at = 0

    def returned(self, value: Any) -> Any:
        """Record the httpx response, the first of the two that are returned."""
        response = value[0]
        if response.is_success:
            self.generation.follow_response(response)
        else:
            self._hold(None, response)
        return value

    def failed(self, error: BaseException) -> None:
        """Fail, unless the SDK retries it."""
        self._hold(error, None)

    def end(self) -> None:
        """End with what is known."""
        self.generation.end()

    def _hold(self, error: BaseException | None, response: Any) -> None:
        self._error, self._response = error, response
        self._failed_at = time.perf_counter_ns()
        if self._call is None:
            self.finish(None)
        else:
            self._call.hold(self)

    def finish(self, error: BaseException | None) -> None:
        """Fail, for good; ``error`` is what the call raised, if it is over."""
        failure, response = self._error, self._response
        if response is not None:
            raised = getattr(error, "response", None) is response
            failure = error if raised else self._status_error(response)
        at(self._failed_at, lambda: self.generation.failed(cast(BaseException, failure)))

    def _status_error(self, response: Any) -> BaseException:
        """Return what the SDK would raise for a response."""
        client = cast(Any, self._client)
        try:
            return client._make_status_error_from_response(response)
        except RuntimeError:  # httpx raises it if the body was not read
            message = f"Error code: {response.status_code}"
            return client._make_status_error(message, body=None, response=response)


class _CallKey(str):
    """An idempotency key that knows its call: all copies of a request's options have the same one.

    So a request finds its call on another thread, and while a stream is read.
    """

    __slots__ = ("call",)
    call: MiddlewareCall

    def __reduce__(self) -> tuple[type[str], tuple[str]]:
        return str, (str(self),)


def _key(options: FinalRequestOptions, call: MiddlewareCall, client: _Client) -> _CallKey:
    """Return the application's key, or the one that the SDK would make."""
    key = _CallKey(options.idempotency_key or cast(Any, client)._idempotency_key())
    key.call = call
    return key


def _call_of(options: FinalRequestOptions) -> MiddlewareCall | None:
    key = options.idempotency_key
    return key.call if isinstance(key, _CallKey) else _CALL.get()


def _has_middleware(client: _Client) -> bool:
    return bool(getattr(client, "_middleware", ()))


def request(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``SyncAPIClient.request(cast_to, options, …)`` or its async twin."""
    client: _Client = call.instance
    if _own_spans.are_preferred(telemetry, client):
        return None
    options: Any = options_of(call)
    if not _has_middleware(client) or _requests.SDK.api_of(options) is None:
        return _requests.request(telemetry, call)
    observed = MiddlewareCall(telemetry, client)
    replace_options(call, idempotency_key=_key(options, observed, client))
    return observed


def attempt(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``SyncAPIClient._attempt_request(options, …)`` or its async twin."""
    client: _Client = call.instance
    if not _has_middleware(client) or _own_spans.are_preferred(telemetry, client):
        return None
    options: Any = options_of(call)
    api = _requests.SDK.api_of(options)
    if api is None:
        return None
    known = _call_of(options)
    number: int = call.kwargs.get("retries_taken", 0)
    resumed = known.resume(number, text(body_of(options), "model")) if known is not None else None
    started = resumed or _start(telemetry, call, api, known)
    started.number = number
    propagate(telemetry, call, _requests.ENDPOINTS.of(client).host, started.context)
    return started


def _start(
    telemetry: Telemetry, call: Call, api: WireFormat, known: MiddlewareCall | None
) -> Attempt:
    client: _Client = call.instance
    parent = _parent(telemetry, client, known)
    generation = _requests.SDK.infer(telemetry, call, api, parent)
    _own_spans.adopt(telemetry, client, generation)
    return Attempt(generation, known, client)


def _parent(telemetry: Telemetry, client: _Client, known: MiddlewareCall | None) -> Context:
    """Return the current context, or that of the call where a middleware left it.

    It left it on another thread, or where the client's own span is current.
    """
    if known is None or (_CALL.get() is known and not _own_spans.are_kept(telemetry, client)):
        return get_current()
    return known.context
