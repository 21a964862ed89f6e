"""One call of a model: claimed for the layers below, or reported here if LiteLLM sends it."""

from __future__ import annotations

import weakref
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Final

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ClaimedCall, Inference, ModelCall
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Api, Usage, WireFormat
from otel_agents.instrumentors._dialects.fields import Body, field, text
from otel_agents.instrumentors._dialects.openai.api import OpenAIApi
from otel_agents.instrumentors._dialects.openai.requests import (
    embeddings_attributes,
    inference_attributes,
)
from otel_agents.instrumentors._dialects.openai.responses import RESPONSES, failure_of
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from ._costs import cost_of
from ._functions import Arguments, Function
from ._results import model_of, response_id_of, usage_of_response
from ._routes import (
    OPENAI_PROVIDERS,
    TEXT_COMPLETION_ROUTES,
    provider_name,
    sent_model,
    supports_stream_usage,
)
from ._streams import StreamRecord, is_generator, is_stream, is_unsent, observed

if TYPE_CHECKING:
    from ._types import Chunk, Logging, Response, Stream

__all__ = ["ROUTED_CALL", "RoutedCall", "current_call"]


def current_call() -> RoutedCall | None:
    """Return the call in progress in the current context."""
    found = get_current().get(ROUTED_CALL.key)  # a hot path: `unfinished`, without its calls
    return found if isinstance(found, RoutedCall) and not found.claim.closed else None


class RoutedCall(ClaimedCall):
    """One call of a model, which LiteLLM sends itself or has an SDK send.

    Attributes:
        function: The function of LiteLLM that was called.
        native: Whether LiteLLM's Rust core sends what no inner call sends.
        route: LiteLLM's name of the provider; None until it sends.
        stream: What the response yields, if it is a stream.
    """

    def __init__(
        self, telemetry: Telemetry, function: Function, arguments: Arguments, asynchronous: bool
    ) -> None:
        api = function.api
        record = partial(_record_request, api, arguments) if api is not None else None
        super().__init__(
            telemetry, function.operation, model=text(arguments, "model"), record_request=record
        )
        self.function = function
        self.native = False
        self.route: str | None = None
        self.stream = StreamRecord(api, telemetry.gate.enabled)
        self.context = ROUTED_CALL.set(self, self.context)
        self._api = api
        self._arguments = arguments
        self._asynchronous = asynchronous
        self._logging: Callable[[], Logging | None] = _no_logging
        self._unsent_stream = False

    def about_to_send(self, logging: Logging, additional: Body | None) -> None:
        """Take the evidence that LiteLLM sends, with what it knows of the route at this point.

        Args:
            logging: LiteLLM's ``Logging`` object of the request.
            additional: The request's URL and body, under LiteLLM's names.
        """
        details = logging.model_call_details
        self._logging = lambda: logging
        self.route = field(details, "custom_llm_provider")
        self.claim.sends_to = provider_name(self.route)
        self.claim.provider = self.claim.sends_to or self.claim.provider
        url, body = field(additional, "api_base"), field(additional, "complete_input_dict")
        self.claim.model = sent_model(url, body) or text(details, "model") or self.claim.model
        self.server = server_of(url)
        if self.route in TEXT_COMPLETION_ROUTES:
            self.operation = Operation.TEXT_COMPLETION
        if self._telemetry.settings.stream_usage and self._arguments.get("stream"):
            self.claim.withholds_usage = supports_stream_usage(self.claim.model, self.route)
        self.attempt()
        if self.native:
            self.start(self.server)

    def start(self, server: tuple[str, int] | None) -> ModelCall | None:
        """Start the span of what LiteLLM sends itself; a stream may send at its first item."""
        if self._unsent_stream and self.started is None:
            self._unsent_stream = False
            self.attempt()
        return super().start(server)

    def complete(self, call: ModelCall) -> None:
        """Add the cost to ``call``, by which an SDK below reports this call."""
        if call.detailed and attr.OTEL_AGENTS_COST not in call.attributes:
            self._record_cost(call)

    def returned(self, value: Response | Stream) -> object:
        """Observe a stream that no SDK observes; record any other result."""
        if not is_stream(value):
            return super().returned(value)
        self.stream.exists = True
        if self.started is None and (is_unsent(value) or self._runs_later(value)):
            self._unsent_stream = True
            self.nothing_sent()
        elif self.adopt() is None:
            self._release()
            return value
        return observed(value, self, asynchronous=self._asynchronous)

    def _runs_later(self, stream: Stream) -> bool:
        """Return whether a provider of the application sends when the first item is read."""
        return self.claim.current is None and is_generator(stream)

    def _release(self) -> None:
        """Drop what the call holds: an SDK observes the stream and keeps this alive to its end."""
        self.close()
        self.stream.wrapper, self._arguments = None, {}
        logging = self._logging()
        if logging is not None:
            self._logging = weakref.ref(logging)

    def chunk(self, item: Chunk | bytes) -> object:
        """Record one chunk or event of a stream."""
        call = self.adopt()
        if isinstance(call, Inference) and call.times_next_chunk:
            call.record_chunk_time()
        self.stream.add(item)
        return None

    def describe(self, call: ModelCall, response: Response | None) -> None:
        """Set on ``call`` what was requested and what the provider responded."""
        if call.detailed:
            self._describe_request(call)
        whole = response if response is not None else self.stream.response()
        failed, code = failure_of(whole) if self._api is RESPONSES else (False, None)
        if failed or self.stream.error_code is not None:
            call.mark_failed(code or self.stream.error_code)
            call.complete = True
        if whole is not None:
            self._describe_response(call, whole)
        elif self.stream.exists:
            self.stream.describe(call, self.route)
        if call.detailed:
            self._record_cost(call)

    def _describe_request(self, call: ModelCall) -> None:
        if self._api is None:
            call.attributes.update(embeddings_attributes(self._arguments))
            return
        attributes = inference_attributes(self._arguments)
        if self.claim.provider not in OPENAI_PROVIDERS:
            attributes.pop(attr.OPENAI_REQUEST_SERVICE_TIER, None)
        elif (
            isinstance(self._api, OpenAIApi)
            and self._api.type is not None
            and self.operation is Operation.CHAT
        ):
            attributes[attr.OPENAI_API_TYPE] = self._api.type.value
        call.attributes.update(attributes)

    def _describe_response(self, call: ModelCall, response: Response) -> None:
        raw = None
        logging = self._logging()
        if logging is not None and not self.stream.exists:
            raw = field(logging.model_call_details, "original_response")
        call.response_model = model_of(response, self.route, raw)
        usage, reasons = self._usage_and_reasons(response, raw)
        if usage is not None:
            call.input_tokens = usage.input_tokens
        if self._api is None:
            return
        if usage is not None:
            call.output_tokens = usage.output_tokens
            call.attributes.update(usage.breakdown)
        call.response_id = response_id_of(response, raw)
        call.finish_reasons = reasons
        if self._telemetry.gate.enabled:
            call.content.output_messages = self._api.output_messages(response)

    def _usage_and_reasons(
        self, response: Response, raw: object
    ) -> tuple[Usage | None, tuple[str, ...]]:
        if isinstance(self._api, WireFormat):
            fields = self._api.response_fields(response)
            return fields.usage, fields.finish_reasons
        reasons = self._api.finish_reasons(response) if self._api is not None else ()
        return usage_of_response(response, raw), reasons

    def response_id(self, response: Response) -> str | None:
        """Return the id by which an SDK would have reported the response."""
        return text(response, "id")

    def _record_cost(self, call: ModelCall) -> None:
        logging = self._logging()
        cost = cost_of(logging, call) if logging is not None else None
        if cost is not None:
            call.attributes[attr.OTEL_AGENTS_COST] = cost
            call.attributes[attr.OTEL_AGENTS_COST_SOURCE] = "litellm"


ROUTED_CALL: Final[Slot[RoutedCall]] = Slot("litellm-call", RoutedCall)


def _record_request(api: Api, arguments: Arguments, content: Content) -> None:
    api.record_request(content, arguments)


def _no_logging() -> None:
    """Stand in for LiteLLM's ``Logging`` object before it sends."""
