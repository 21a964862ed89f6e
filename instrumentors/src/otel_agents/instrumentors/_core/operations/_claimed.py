"""A call of a model by an outer layer, which reports only what nobody below it reports."""

from __future__ import annotations

from typing import Any

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.ownership import Attempt, Claim, is_reported
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.semconv import values

from ._inference import Embeddings, Inference, ModelCall, Server

__all__ = ["CUSTOM_PROVIDER", "ClaimedCall"]

CUSTOM_PROVIDER = "custom"
"""``gen_ai.provider.name`` of a model class of the application's own that names none."""


class ClaimedCall:
    """One call of a framework's or a router's model layer (`calls.Running`).

    Opens a claim for as long as the call lasts. `ownership.sent` is the layer's positive evidence,
    called from a hook below its cache; each send is one attempt. An attempt that a layer below took is
    that layer's; one that nobody took is reported here, after the fact, by `describe`.

    Args:
        telemetry: What to emit with.
        operation: What is asked for.
        model: The model asked for, if known.
        provider: The provider, as far as this layer can tell.
        evident: The call itself is evidence, as the method of an application's own model class
            that runs below the framework's cache.
        parent: The context to work in; default is the current one.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        operation: values.Operation,
        *,
        model: str | None = None,
        provider: str | None = None,
        evident: bool = False,
        parent: Context | None = None,
    ) -> None:
        self._telemetry = telemetry
        self._operation = operation
        self._parent = get_current() if parent is None else parent
        self.claim = Claim(operation, self._parent, model=model, provider=provider)
        self.context = self.claim.context
        self.server: Server | None = None
        if evident:
            self.claim.attempt()

    def answered(self, response: Any) -> None:
        """The current attempt has its response, and the call goes on."""
        self._settle(response, None)

    def refused(self, error: BaseException) -> None:
        """The current attempt has failed, and the call goes on."""
        self._settle(None, error)

    def describe(self, call: ModelCall, response: Any) -> None:
        """Set on ``call`` what this layer knows of ``response``; for frameworks to override."""

    def response_id(self, response: Any) -> str | None:
        """The provider's id of ``response``, for frameworks to override."""
        return None

    def chunk(self, item: Any) -> object:
        """One item of a stream; for frameworks to override."""
        return None

    def returned(self, value: Any) -> Any:
        """The call has its result."""
        self._settle(value, None)
        self.claim.close()
        return value

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self._settle(None, None)
        self.claim.close()

    def abandoned(self) -> None:
        """The caller left the stream."""
        self._settle(None, None, abandoned=True)
        self.claim.close()

    def failed(self, error: BaseException) -> None:
        """The call raised."""
        self._settle(None, error)
        self.claim.close()

    def end(self) -> None:
        """Close the claim; nothing is reported any more."""
        self.claim.close()

    def _settle(
        self, response: Any, error: BaseException | None, *, abandoned: bool = False
    ) -> None:
        attempt = self.claim.settle()
        if attempt is None or attempt.taken or is_reported(self.response_id(response)):
            return
        call = self._report(attempt)
        self.describe(call, response)
        if error is not None:
            call.failed(error)
        elif abandoned:
            call.abandoned()
        else:
            call.end()

    def _report(self, attempt: Attempt) -> ModelCall:
        kind = Embeddings if self._operation is values.Operation.EMBEDDINGS else Inference
        return kind(
            self._telemetry,
            self._operation,
            self.claim.provider or CUSTOM_PROVIDER,
            self.claim.model,
            self.server,
            parent=self._parent,
            start_time=attempt.start_time,
        )
