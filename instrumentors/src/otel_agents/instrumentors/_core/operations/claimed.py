"""A call of a model by an outer layer, which reports only what nobody below it reports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core import errors
from otel_agents.instrumentors._core.calls import disposal
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
    ModelCall,
    Server,
)

__all__ = ["CUSTOM_PROVIDER", "ClaimedCall", "unfinished"]

_Call = TypeVar("_Call", bound="ClaimedCall")

CUSTOM_PROVIDER = "custom"
"""``gen_ai.provider.name`` of a model class of the application's own that names none."""


class ClaimedCall:
    """One call of a framework's or a router's model layer (`calls.reporting.Running`).

    Opens a claim for as long as the call lasts. `sent` is the layer's positive evidence,
    called from a hook below its cache; each send is one attempt. An attempt that a layer below took is
    that layer's; one that nobody took is reported here, after the fact, by `describe`. Where it is
    evident that this layer itself sends, past every other that could be seen, its span starts then
    (`start`), so that what is sent hangs under it.

    Args:
        telemetry: What to emit with.
        operation: What is asked for.
        model: The model asked for, if known.
        provider: The provider, as far as this layer can tell.
        sends_itself: The call itself is evidence, as the method of an application's own model class
            that runs below the framework's cache.
        record_request: Sets what is asked, as of when it is sent; called for each attempt where it is wanted.
        parent: The context to work in; default is the current one.
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
        self.started: ModelCall | None = None
        self._send_error: BaseException | None = None
        self._record_request = record_request if telemetry.gate.enabled else None
        self._content: RequestedContent | None = None
        self.lazy = sends_itself
        """Whether a generator that is never started has sent nothing."""
        if sends_itself:
            self._send()

    def attempt(self) -> None:
        """Evidence: this layer is about to send; what it started before and saw fail is over."""
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
        """This layer sends itself, now: start the span of the current attempt.

        None where nothing was to be sent, or a layer below has taken the attempt. What is sent
        again before the attempt is over is part of it, unless `unsent` has told that it failed.
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
        """The response has begun to come: its span is started, unless a layer below has one."""
        attempt = self.claim.current
        if self.started is None and attempt is not None and not attempt.taken:
            self.started = self._report(attempt)
        return self.started

    def send_failed(self, error: BaseException) -> None:
        """What `start` has begun failed with ``error``; the layer may make another attempt."""
        self._send_error = error

    def complete(self, call: ModelCall) -> None:
        """A layer below reports ``call``, which is about to end; for frameworks to override."""

    def responded(self, response: Any) -> None:
        """The current attempt has its response, and the call goes on."""
        self._finish_attempt(response, None)

    def attempt_failed(self, error: BaseException) -> None:
        """The current attempt has failed, and the call goes on."""
        self._finish_attempt(None, error)

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Look at what the call has come to before it is reported; returns the error to report.

        For frameworks to override: what was not sent after all, is told by `nothing_sent`.
        """
        return error

    def nothing_sent(self) -> None:
        """Nothing was sent after all: there is nothing to report."""
        self.claim.finish_attempt()

    def describe(self, call: ModelCall, response: Any) -> None:
        """Set on ``call`` what this layer knows of ``response``; for frameworks to override."""

    def response_id(self, response: Any) -> str | None:
        """The provider's id of ``response``, for frameworks to override."""
        return None

    def chunk(self, item: Any) -> object:
        """One item of a stream; for frameworks to override."""
        return None

    def returned(self, value: Any) -> Any:
        """The call has its result; for frameworks to override where it is read later."""
        self._complete(value)
        return value

    @final
    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self._complete()

    @final
    def abandoned(self) -> None:
        """The caller left the stream."""
        self._complete(abandoned=True)

    @final
    def failed(self, error: BaseException) -> None:
        """The call raised."""
        self._complete(error=error)

    @property
    def ended(self) -> bool:
        """Whether the call has completed."""
        return self.claim.closed

    def end(self) -> None:
        """Close the claim; nothing more is reported than what was started."""
        started, self.started = self.started, None
        self.close()
        if started is not None:
            started.end()

    def close(self) -> None:
        """The call has completed: nothing can be taken from its claim any more, and nothing is held."""
        self.claim.close()
        self._record_request = self._content = None

    def _complete(
        self, response: Any = None, error: BaseException | None = None, *, abandoned: bool = False
    ) -> None:
        try:
            try:
                error = self.error_to_report(response, error)
            except Exception:
                errors.internal_error("judging a call")
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
            disposal.here().wait_briefly()  # what was dropped may be what has reported it
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
        kind = Embeddings if self.operation is values.Operation.EMBEDDINGS else Inference
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
        asked, self._content = self._content, None
        if asked is not None:
            asked.copy_to(call.content)
        return released(call)


def unfinished(slot: Slot[_Call]) -> _Call | None:
    """The call that the current context has in ``slot``; None once it has completed."""
    found = slot.get()
    return found if found is not None and not found.ended else None
