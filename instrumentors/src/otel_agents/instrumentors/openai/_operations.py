"""The operations of the OpenAI SDK: inference, embeddings and fetched responses."""

from __future__ import annotations

import copy
import re
from typing import Any, Final

from otel_agents.instrumentors._core.calls.around import Begin, Call, Running
from otel_agents.instrumentors._core.operations import Embeddings, FetchResponse
from otel_agents.instrumentors._core.operations import Operation as Operation_
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Api
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, field, text
from otel_agents.instrumentors._dialects.openai.apis import (
    APIS,
    RESPONSES,
    response_finish_reasons,
)
from otel_agents.instrumentors._dialects.openai.requests import embeddings_attributes
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from . import _background
from ._endpoints import Endpoint, endpoint_of
from ._generation import FINAL_EVENTS, Generation
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
        if text(item, "type") in FINAL_EVENTS:
            self.respond(field(item, "response"))
        return None
