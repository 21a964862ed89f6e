"""Clients with middleware: one call of the application sends any number of requests.

A middleware may send a request again or another one, also while its response is read, or none. The
SDK runs all of it again when it retries: then the attempt that failed last goes on.
"""

from __future__ import annotations

import time
from collections import deque
from typing import Any, Final, cast

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.finalization import at
from otel_agents.instrumentors._core.calls.reporting import Observation
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._dialects.generation import Generation

__all__ = ["Attempt", "MiddlewareCall", "call_of", "current_call", "key_of"]


class MiddlewareCall(Observation):
    """One call of a client with middleware, which sends any number of attempts.

    Args:
        context: The context of the call.
    """

    def __init__(self, context: Context) -> None:
        super().__init__(_CALL.set(self, context))
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

    def __init__(self, generation: Generation, call: MiddlewareCall | None, client: object) -> None:
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


def key_of(options: Any, call: MiddlewareCall, client: object) -> str:
    """Return the idempotency key of a call: the application's key, or the one that the SDK would make."""
    key = _CallKey(options.idempotency_key or cast(Any, client)._idempotency_key())
    key.call = call
    return key


def call_of(options: Any) -> MiddlewareCall | None:
    """Return the call that sends a request with ``options``."""
    key = options.idempotency_key
    return key.call if isinstance(key, _CallKey) else _CALL.get()


def current_call() -> MiddlewareCall | None:
    """Return the call whose middleware the current code is."""
    return _CALL.get()
