"""A model call of an outer layer, which reports only the attempts that no layer below reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls import finalization
from otel_agents.instrumentors._core.context import official
from otel_agents.instrumentors._core.context.claims import Attempt
from otel_agents.instrumentors._core.context.ownership import is_reported, open_claim
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.context.started import released
from otel_agents.instrumentors._core.telemetry.content import Content, RequestedContent
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import values

from .inference import (
    Embeddings,
    Inference,
    LocalEmbeddings,
    ModelCall,
    Server,
)

__all__ = ["CUSTOM_PROVIDER", "ClaimedCall", "unfinished"]

_Call = TypeVar("_Call", bound="ClaimedCall")

CUSTOM_PROVIDER = "custom"
"""``gen_ai.provider.name`` of an application's model class that names no provider."""


class ClaimedCall:
    """One call of a framework's or a router's model layer (see `CallObserver`).

    It holds a claim open for as long as the call lasts. The layer calls `attempt` from a hook below
    its cache, as evidence that it sends a request. If a layer below takes that attempt, that layer
    reports it. If none does, this class reports it afterwards, filled in by `describe`.

    Where the layer is known to send by itself, past every other layer that we instrument, call
    `start` before it sends: the span then starts right away, and the HTTP spans are its children.

    Example:
        >>> class HouseCall(ClaimedCall):
        ...     def describe(self, call, response):
        ...         call.response_model = response.model
        >>> def chat(telemetry, call):
        ...     return HouseCall(telemetry, values.Operation.CHAT, provider="house")
        >>> patch = Patch("house:Model.chat", chat)

    Args:
        telemetry: What to emit with.
        operation: The operation of the model call.
        model: The requested model, if known.
        provider: The provider, as far as this layer knows.
        sends_itself: Whether the call is itself the evidence, as for the method of an application's
            model class that runs below the framework's cache.
        record_request: Records the request's content. It is called for each attempt, when the
            request is sent, and only where content is enabled.
        parent: The parent context; default is the current one.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        operation: values.Operation,
        *,
        model: str | None = None,
        provider: str | None = None,
        sends_itself: bool = False,
        record_request: Callable[[Content], object] | None = None,
        parent: Context | None = None,
    ) -> None:
        self._telemetry = telemetry
        self.operation = operation
        self._parent = get_current() if parent is None else parent
        self.claim, context = open_claim(
            operation, self._parent, model=model, provider=provider, complete=self.complete
        )
        self.context = context
        if official.find(operation, self._parent) is None:
            self.context = official.announce(operation, self.context)
        self.server: Server | None = None
        self.in_process = False
        """Whether the model runs in this process: a span of its embeddings is INTERNAL."""
        self.started: ModelCall | None = None
        self._send_error: BaseException | None = None
        self._record_request = record_request if telemetry.gate.enabled else None
        self._content: RequestedContent | None = None
        self.lazy = sends_itself
        """Whether a generator that is never started has sent nothing."""
        if sends_itself:
            self._send()

    def attempt(self) -> None:
        """Record that this layer is about to send; an earlier attempt that failed is over."""
        if self._send_error is not None:
            self.attempt_failed(self._send_error)
        if self.started is None:
            self._send()

    def _send(self) -> None:
        self.claim.attempt()
        if self._record_request is not None:
            self._content = RequestedContent(self._telemetry.gate.policy)
            try:
                self._record_request(self._content)
            except Exception:
                errors.internal_error("recording a request")

    def start(self, server: Server | None) -> ModelCall | None:
        """Start the span of the current attempt: this layer sends the request itself, now.

        Return None if there is no attempt, or a layer below has taken it. A request that is sent
        again belongs to the same attempt, unless `send_failed` reported a failure in between.
        """
        if self._send_error is not None:
            self.attempt()
        attempt = self.claim.current
        if attempt is None or attempt.taken or self.started is not None:
            return self.started
        self.server = server
        self.started = self._report(None)
        return self.started

    def adopt(self) -> ModelCall | None:
        """Start the span as the response begins to arrive, unless a layer below has one."""
        attempt = self.claim.current
        if self.started is None and attempt is not None and not attempt.taken:
            self.started = self._report(attempt)
        return self.started

    def send_failed(self, error: BaseException) -> None:
        """Record that the attempt that `start` started failed; the layer may make another."""
        self._send_error = error

    def complete(self, call: ModelCall) -> None:
        """Add to ``call``, which a layer below reports and ends now; for frameworks to override."""

    def responded(self, response: Any) -> None:
        """Report the current attempt with its response; the call goes on."""
        self._finish_attempt(response, None)

    def attempt_failed(self, error: BaseException) -> None:
        """Report the current attempt with its error; the call goes on."""
        self._finish_attempt(None, error)

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Return the error to report, given the call's result or error.

        For frameworks to override; an override calls `nothing_sent` if no request was sent after
        all.
        """
        return error

    def nothing_sent(self) -> None:
        """Drop the current attempt: no request was sent, so there is nothing to report."""
        self.claim.finish_attempt()

    def describe(self, call: ModelCall, response: Any) -> None:
        """Set on ``call`` what this layer knows about ``response``; for frameworks to override."""

    def response_id(self, response: Any) -> str | None:
        """Return the provider's id of ``response``; for frameworks to override."""
        return None

    def chunk(self, item: Any) -> object:
        """Read one item of a stream; for frameworks to override."""
        return None

    def returned(self, value: Any) -> Any:
        """Complete the call with its result; override it where the result is read later."""
        self._complete(value)
        return value

    @final
    def exhausted(self, value: Any) -> None:
        """Complete the call: the stream is at its end."""
        self._complete()

    @final
    def abandoned(self) -> None:
        """Complete the call: the caller stopped reading the stream."""
        self._complete(abandoned=True)

    @final
    def failed(self, error: BaseException) -> None:
        """Complete the call with the error that it raised."""
        self._complete(error=error)

    @property
    def ended(self) -> bool:
        """Whether the call has completed."""
        return self.claim.closed

    def end(self) -> None:
        """Close the claim and end the span that was started, if any; report nothing else."""
        started, self.started = self.started, None
        self.close()
        if started is not None:
            started.end()

    def close(self) -> None:
        """Close the claim, so that no layer can take it, and release the request's content."""
        self.claim.close()
        self._record_request = self._content = None

    def _complete(
        self, response: Any = None, error: BaseException | None = None, *, abandoned: bool = False
    ) -> None:
        try:
            try:
                error = self.error_to_report(response, error)
            except Exception:
                errors.internal_error("classifying a call")
            self._finish_attempt(response, error, abandoned=abandoned)
        finally:
            self.close()

    def _finish_attempt(
        self, response: Any, error: BaseException | None, *, abandoned: bool = False
    ) -> None:
        attempt, call = self.claim.finish_attempt(), self.started
        self.started, self._send_error = None, None
        if call is None:
            if attempt is None or attempt.taken:
                return
            # A dropped stream may be about to report this response.
            finalization.current().wait_briefly()
            if self._is_reported(response, attempt):
                return
            call = self._report(attempt)
        try:
            self.describe(call, response)
        except Exception:
            errors.internal_error("describing a call")
        if error is not None:
            call.failed(error)
        elif abandoned:
            call.abandoned()
        else:
            call.end()

    def _is_reported(self, response: Any, attempt: Attempt) -> bool:
        try:
            return is_reported(self.response_id(response), attempt.start_time, type(self))
        except Exception:
            errors.internal_error("reading the id of a response")
            return False

    def _report(self, attempt: Attempt | None) -> ModelCall:
        embeddings = LocalEmbeddings if self.in_process else Embeddings
        kind = embeddings if self.operation is values.Operation.EMBEDDINGS else Inference
        call = kind(
            self._telemetry,
            self.operation,
            self.claim.provider or CUSTOM_PROVIDER,
            self.claim.model,
            self.server,
            parent=self._parent,
            start_time=attempt.start_time if attempt is not None else None,
        )
        call.layer = type(self)
        requested, self._content = self._content, None
        if requested is not None:
            requested.copy_to(call.content)
        return released(call)


def unfinished(slot: Slot[_Call]) -> _Call | None:
    """Return the call in ``slot`` of the current context; None if there is none or it completed."""
    found = slot.get()
    return found if found is not None and not found.ended else None
