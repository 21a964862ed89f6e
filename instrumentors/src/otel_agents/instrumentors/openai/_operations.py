"""The operations of the OpenAI SDK: inference, embeddings and fetched responses."""

from __future__ import annotations

import copy
import re
from typing import Any, Final

from otel_agents.instrumentors._core.calls import Begin, Call, Running
from otel_agents.instrumentors._core.operations import Embeddings, FetchResponse, Inference
from otel_agents.instrumentors._core.operations import Operation as Operation_
from otel_agents.instrumentors._core.propagation import headers_for
from otel_agents.instrumentors._core.reporting import HIDDEN
from otel_agents.instrumentors._core.telemetry import Telemetry
from otel_agents.instrumentors._dialects.openai.apis import (
    APIS,
    RESPONSES,
    Api,
    response_finish_reasons,
)
from otel_agents.instrumentors._dialects.openai.assembly import Assembly
from otel_agents.instrumentors._dialects.openai.fields import field, text, view
from otel_agents.instrumentors._dialects.openai.requests import (
    Body,
    as_mapping,
    embeddings_attributes,
    inference_attributes,
)
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from . import _background
from ._endpoints import Endpoint, endpoint_of
from ._raw import follow

__all__ = ["request"]

_EMBEDDINGS: Final = "/embeddings"
_FETCH: Final = re.compile(r"/responses/([^/?]+)")


def request(telemetry: Telemetry) -> Begin:
    """``SyncAPIClient.request(cast_to, options, …)`` and its asynchronous twin."""

    def begin(call: Call) -> Running | None:
        options = call.args[1] if len(call.args) > 1 else call.kwargs["options"]
        path = str(options.url).partition("?")[0].rstrip("/")
        if options.method.lower() == "get":
            return _fetch(telemetry, call, options, path)
        if options.method.lower() != "post":
            return None
        if path.endswith(_EMBEDDINGS):
            return _embed(telemetry, call, options)
        api = APIS.get(path) or _by_suffix(path)
        return _generate(telemetry, call, options, api) if api is not None else None

    return begin


def _by_suffix(path: str) -> Api | None:
    """The API of an absolute URL or of a path with a deployment in it."""
    return next((api for known, api in APIS.items() if path.endswith(known)), None)


def _body(options: Any) -> Body:
    body = as_mapping(options.json_data)
    extra = as_mapping(getattr(options, "extra_json", None))
    return {**body, **extra} if extra else body


def _generate(telemetry: Telemetry, call: Call, options: Any, api: Api) -> Generation:
    body = _body(options)
    endpoint = endpoint_of(call.instance)
    generation = Generation(telemetry, api, body, endpoint)
    generation.hides_usage = _ask_for_usage(telemetry, call, options, api, body)
    _propagate(telemetry, call, endpoint, generation)
    _watch_parsing(call, generation)
    return generation


def _embed(telemetry: Telemetry, call: Call, options: Any) -> Running:
    body = _body(options)
    endpoint = endpoint_of(call.instance)
    embedding = Embedding(
        telemetry, Operation.EMBEDDINGS, endpoint.provider, text(body, "model"), endpoint.server
    )
    if embedding.detailed:
        embedding.attributes.update(embeddings_attributes(body))
    _propagate(telemetry, call, endpoint, embedding)
    _watch_parsing(call, embedding)
    return embedding


def _fetch(telemetry: Telemetry, call: Call, options: Any, path: str) -> Running | None:
    matched = _FETCH.fullmatch(path)
    if matched is None:
        return None
    endpoint = endpoint_of(call.instance)
    fetch = Fetch(telemetry, endpoint.provider, matched[1], endpoint.server)
    fetch.attributes[attr.OPENAI_API_TYPE] = RESPONSES.type
    cursor = as_mapping(options.params).get("starting_after")
    if isinstance(cursor, (int, str)) and not isinstance(cursor, bool):
        fetch.attributes[attr.GEN_AI_REQUEST_STREAM_CURSOR] = str(cursor)
    _propagate(telemetry, call, endpoint, fetch)
    return fetch


def _replace_options(call: Call, **changes: Any) -> None:
    """Put a changed copy of the request's options into the call; the caller's own stay."""
    position = len(call.args) > 1
    options = copy.copy(call.args[1] if position else call.kwargs["options"])
    for name, value in changes.items():
        setattr(options, name, value)
    if position:
        call.args = (call.args[0], options, *call.args[2:])
    else:
        call.kwargs = {**call.kwargs, "options": options}


def _options(call: Call) -> Any:
    return call.args[1] if len(call.args) > 1 else call.kwargs["options"]


def _ask_for_usage(telemetry: Telemetry, call: Call, options: Any, api: Api, body: Body) -> bool:
    """Ask for the usage of a stream if the setting says so; whether its chunk must be hidden."""
    streams = body.get("stream") is True and api.operation is not Operation.GENERATE_CONTENT
    if not (telemetry.settings.stream_usage and streams) or api is RESPONSES:
        return False
    wanted = as_mapping(body.get("stream_options"))
    if wanted.get("include_usage"):
        return False
    stream_options = {**wanted, "include_usage": True}
    _replace_options(call, json_data={**options.json_data, "stream_options": stream_options})
    return True


def _propagate(telemetry: Telemetry, call: Call, endpoint: Endpoint, operation: Operation_) -> None:
    """Send the trace's headers along, to hosts that the setting names."""
    carrier = headers_for(telemetry, endpoint.host, operation.context)
    if carrier:
        _replace_options(call, headers={**as_mapping(_options(call).headers), **carrier})


def _watch_parsing(call: Call, operation: Generation | Embedding) -> None:
    """See the response before the SDK parses it further: that may raise, and it was billed."""
    post_parser = getattr(_options(call), "post_parser", None)
    if not callable(post_parser):
        return

    def parse(response: Any) -> Any:
        operation.observe(response)
        return post_parser(response)

    _replace_options(call, post_parser=parse)


class Generation(Inference):
    """An inference of any API; its result may be a response, a stream or a raw response."""

    __slots__ = ("_api", "_assembly", "_reasons", "_responded", "hides_usage", "pending")

    def __init__(self, telemetry: Telemetry, api: Api, body: Body, endpoint: Endpoint) -> None:
        super().__init__(
            telemetry, api.operation, endpoint.provider, text(body, "model"), endpoint.server
        )
        self._api = api
        self._assembly: Assembly | None = None
        self._reasons: dict[int, str | None] = {}
        self._responded = False
        self.hides_usage = False
        self.pending = False
        if self.detailed:
            self.attributes.update(inference_attributes(body))
            if api.type is not None:
                self.attributes[attr.OPENAI_API_TYPE] = api.type.value
            if api.output_type is not None:
                self.attributes[attr.GEN_AI_OUTPUT_TYPE] = api.output_type.value
        if telemetry.gate.wanted:
            self._assembly = api.assembly()
            api.ask(self.content, body)

    def returned(self, value: Any) -> Any:
        """Follow a stream or a raw response; record anything else."""
        return follow(self, value)

    def respond(self, value: Any) -> None:
        """Gather from a whole response."""
        if self._responded:
            return
        self.pending = text(value, "status") in _background.PENDING
        self._responded = not self.pending
        self._identify(value)
        self._spend(field(value, "usage"))
        self.finish_reasons = self._api.finish_reasons(value)
        conversation = text(field(value, "conversation"), "id")
        if conversation is not None:
            self.attributes[attr.GEN_AI_CONVERSATION_ID] = conversation
        error = field(value, "error")
        if error is not None and text(value, "status") == "failed":
            self.reject(text(error, "code"))
        if self._assembly is not None:
            self.content.output_messages = lambda: self._api.output(value)

    def _identify(self, value: Any) -> None:
        self.response_id = self.response_id or text(value, "id")
        self.response_model = self.response_model or text(value, "model")
        for key, name in (
            ("service_tier", attr.OPENAI_RESPONSE_SERVICE_TIER),
            ("system_fingerprint", attr.OPENAI_RESPONSE_SYSTEM_FINGERPRINT),
        ):
            known = text(value, key)
            if known is not None:
                self.attributes[name] = known

    def _spend(self, reported: Any) -> None:
        usage = usage_of(reported)
        if usage is not None:
            self.input_tokens, self.output_tokens = usage.input_tokens, usage.output_tokens
            self.attributes.update(usage.breakdown)

    def chunk(self, item: Any) -> object:
        """Gather from one chunk or event of a stream."""
        if self.times_next_chunk:
            self.timed_chunk()
        if self._assembly is not None:
            self._assembly.add(item)
        if self._api is RESPONSES:
            return self._event(item)
        return self._delta(item)

    def _delta(self, item: Any) -> object:
        if self.response_id is None or self.response_model is None:
            self._identify(item)
        fields = view(item)
        choices = fields.get("choices")
        if choices:
            for choice in choices:
                chosen = view(choice)
                reason, index = chosen.get("finish_reason"), chosen.get("index") or 0
                if reason is not None or index not in self._reasons:
                    self._reasons[index] = reason
        usage = fields.get("usage")
        if usage is not None:
            self._identify(item)
            self._spend(usage)
            if self.hides_usage and not choices:
                return HIDDEN
        return None

    def _event(self, item: Any) -> object:
        kind = text(item, "type")
        response = field(item, "response")
        if kind in _FINAL_EVENTS:
            self.respond(response)
        elif kind == "response.created":
            self._identify(response)
        elif kind == "error":
            self.reject(text(item, "code"))
        return None

    def exhausted(self, value: Any) -> None:
        """The stream is at its end."""
        self._conclude()
        super().exhausted(value)

    def abandoned(self) -> None:
        """The caller left; what was said until then is kept."""
        self._conclude()
        if self._responded:  # its last event was read, only the connection was left open
            super().exhausted(None)
        else:
            super().abandoned()

    def failed(self, error: BaseException) -> None:
        """The call failed, or the stream broke; what was said until then is kept."""
        self._conclude()
        super().failed(error)

    def interrupt(self) -> None:
        """The process is told to end; a response that goes on in the background is no error."""
        if not self._ended:
            self._conclude()
        if self.pending and self.response_id is not None:
            self.pending = False
            self.end()
        else:
            super().interrupt()

    def _conclude(self) -> None:
        """Put together what a stream said; a choice that was cut has the reason ``error``."""
        if self._reasons and any(self._reasons.values()):
            ordered = sorted(self._reasons.items())
            self.finish_reasons = tuple(reason or "error" for _, reason in ordered)
        assembly = self._assembly
        if assembly is not None and not self._responded:
            self.content.output_messages = assembly.messages

    def end(self) -> None:
        """End, unless the response goes on in the background and may be fetched here."""
        if self.pending and self.response_id is not None and self.error_type is None:
            _background.hold(self.response_id, self)
        else:
            super().end()


_FINAL_EVENTS: Final = ("response.completed", "response.incomplete", "response.failed")


class Embedding(Embeddings):
    """An embeddings request; its result may be a raw response."""

    __slots__ = ()

    def returned(self, value: Any) -> Any:
        """Follow a raw response; record anything else."""
        return follow(self, value)

    def respond(self, value: Any) -> None:
        """Gather from the response."""
        self.response_model = text(value, "model")
        usage = usage_of(field(value, "usage"))
        if usage is not None:
            self.input_tokens = usage.input_tokens


class Fetch(FetchResponse):
    """A response read again: its tokens belong to the request that made it."""

    __slots__ = ()

    def returned(self, value: Any) -> Any:
        """Follow a stream or a raw response; record anything else."""
        return follow(self, value)

    def respond(self, value: Any) -> None:
        """Gather from the response, and complete the request that made it if it was ours."""
        self.response_model = text(value, "model")
        status = text(value, "status")
        if status is not None:
            self.attributes[attr.GEN_AI_RESPONSE_STATUS] = status
        reasons = response_finish_reasons(value)
        if reasons:
            self.attributes[attr.GEN_AI_RESPONSE_FINISH_REASONS] = reasons
        if self._gate.wanted:
            self.content.output_messages = lambda: RESPONSES.output(value)
        _background.fetched(text(value, "id"), value)

    def chunk(self, item: Any) -> object:
        """Gather from one event of a stream that is read again."""
        if text(item, "type") in _FINAL_EVENTS:
            self.respond(field(item, "response"))
        return None
