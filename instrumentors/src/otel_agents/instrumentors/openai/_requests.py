"""Where a request of the SDK passes: what it asks for, where it goes, what of it is changed."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import Any, Final, NamedTuple

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.operations import Embeddings, FetchResponse, Operation
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Api
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, field, text
from otel_agents.instrumentors._dialects.openai import stream_usage
from otel_agents.instrumentors._dialects.openai.apis import APIS
from otel_agents.instrumentors._dialects.openai.chat import CHAT
from otel_agents.instrumentors._dialects.openai.completions import COMPLETIONS
from otel_agents.instrumentors._dialects.openai.hosts import known_provider
from otel_agents.instrumentors._dialects.openai.requests import embeddings_attributes
from otel_agents.instrumentors._dialects.openai.responses import (
    FINAL_EVENTS,
    RESPONSES,
    response_finish_reasons,
)
from otel_agents.instrumentors._dialects.openai.usage import usage_of
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import _background
from ._generation import Generation

__all__ = ["Endpoint", "endpoint_of", "request"]

_EMBEDDINGS: Final = "/embeddings"
_ONE_RESPONSE: Final = re.compile(r"/responses/([^/]+)")
_CANCEL: Final = re.compile(r"/responses/[^/]+/cancel")
_RAW: Final = "X-Stainless-Raw-Response"
_TELL_USAGE_IF_ASKED: Final = (CHAT, COMPLETIONS)
_PORTS: Final = MappingProxyType({"https": 443, "http": 80})


def request(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """``SyncAPIClient.request(cast_to, options, …)`` and its asynchronous twin."""
    options = _options(call)
    path = str(options.url).partition("?")[0].rstrip("/")
    method = options.method.lower()
    if method == "post":
        if path.endswith(_EMBEDDINGS):
            return _embed(telemetry, call, options)
        api = APIS.get(path) or _by_suffix(path)
        if api is not None:
            return _generate(telemetry, call, options, api)
        return _background.Cancelling() if _CANCEL.fullmatch(path) else None
    matched = _ONE_RESPONSE.fullmatch(path)
    if matched is None:
        return None
    if method == "get":
        return _fetch(telemetry, call, options, matched[1])
    return _background.Deleting(matched[1]) if method == "delete" else None


def _options(call: Call) -> Any:
    return call.args[1] if len(call.args) > 1 else call.kwargs["options"]


def _by_suffix(path: str) -> Api | None:
    """The API of an absolute URL or of a path with a deployment in it."""
    return next((api for known, api in APIS.items() if path.endswith(known)), None)


def _body(options: Any) -> Body:
    body, extra = as_mapping(options.json_data), getattr(options, "extra_json", None)
    return {**body, **as_mapping(extra)} if extra else body


class Endpoint(NamedTuple):
    """The host and port of a client, and the provider that the host belongs to.

    ``provider_is_guess``: the host is not known; the provider is one that speaks this API.
    """

    provider: str
    host: str
    port: int
    provider_is_guess: bool = False

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port, None where the client has no host."""
        return (self.host, self.port) if self.host else None


_endpoints: Final[ByObject[Any, tuple[Any, Endpoint]]] = ByObject()


def endpoint_of(client: Any) -> Endpoint:
    """The endpoint of an OpenAI client; looked at again when its base URL is replaced."""
    url = client._base_url
    known = _endpoints.get(client)
    if known is not None and known[0] is url:
        return known[1]
    host = str(url.host)
    port = int(url.port or _PORTS.get(url.scheme, 443))
    provider = _provider(client, host)
    provider_is_guess = provider is None
    endpoint = Endpoint(provider or values.Provider.OPENAI.value, host, port, provider_is_guess)
    _endpoints[client] = (url, endpoint)
    return endpoint


def _provider(client: Any, host: str) -> str | None:
    if any(cls.__name__ == "BaseAzureClient" for cls in type(client).__mro__):
        return values.Provider.AZURE_AI_OPENAI.value
    return known_provider(host)


def _generate(telemetry: Telemetry, call: Call, options: Any, api: Api) -> Generation:
    body = _body(options)
    endpoint = endpoint_of(call.instance)
    generation = Generation(
        telemetry,
        api,
        body,
        endpoint.provider,
        endpoint.server,
        provider_is_guess=endpoint.provider_is_guess,
    )
    if telemetry.settings.stream_usage and api in _TELL_USAGE_IF_ASKED:
        generation.hides_usage = _ask_for_usage(call, options, body, generation)
    _send_along(telemetry, call, endpoint, generation)
    return generation


def _embed(telemetry: Telemetry, call: Call, options: Any) -> Operation:
    body = _body(options)
    endpoint = endpoint_of(call.instance)
    embedding = Embedding(
        telemetry,
        values.Operation.EMBEDDINGS,
        endpoint.provider,
        text(body, "model"),
        endpoint.server,
        provider_is_guess=endpoint.provider_is_guess,
    )
    if embedding.detailed:
        embedding.attributes.update(embeddings_attributes(body))
    _send_along(telemetry, call, endpoint, embedding)
    return embedding


def _fetch(telemetry: Telemetry, call: Call, options: Any, response_id: str) -> Operation:
    endpoint = endpoint_of(call.instance)
    fetch = Fetch(telemetry, endpoint.provider, response_id, endpoint.server)
    fetch.attributes[attr.OPENAI_API_TYPE] = RESPONSES.type
    cursor = as_mapping(options.params).get("starting_after")
    if isinstance(cursor, (int, str)) and not isinstance(cursor, bool):
        fetch.attributes[attr.GEN_AI_REQUEST_STREAM_CURSOR] = str(cursor)
    _send_along(telemetry, call, endpoint, fetch)
    return fetch


def _replace_options(call: Call, **changes: Any) -> None:
    """Put a changed copy of the request's options into the call; the caller's own stay."""
    options = copy.copy(_options(call))
    for name, value in changes.items():
        setattr(options, name, value)
    if len(call.args) > 1:
        call.args = (call.args[0], options, *call.args[2:])
    else:
        call.kwargs = {**call.kwargs, "options": options}


def _ask_for_usage(call: Call, options: Any, body: Body, generation: Generation) -> bool:
    """Ask for the usage of a stream that does not; whether its chunk must be hidden.

    Of a raw response nothing can be hidden: its bytes, their number and the moment at which they come are
    the caller's. So there it is asked only where a layer above keeps the chunk to itself.
    """
    raw = _RAW in as_mapping(options.headers)
    if raw and not generation.withholds_usage:
        return False
    endpoint = endpoint_of(call.instance)
    stream_options = stream_usage.asked(body, endpoint.server)
    if stream_options is None:
        return False
    asking = {**options.json_data, stream_usage.OPTION: stream_options}
    _replace_options(call, json_data=asking)
    stream_usage.retry_without_usage(
        call, endpoint.server, lambda: _replace_options(call, json_data=options.json_data)
    )
    return not raw


def _send_along(telemetry: Telemetry, call: Call, endpoint: Endpoint, operation: Operation) -> None:
    """The trace's headers, to hosts that the setting names; and see the response being parsed."""
    if telemetry.settings.propagate_headers:
        carrier = headers_for(telemetry, endpoint.host, operation.context)
        if carrier:
            _replace_options(call, headers={**as_mapping(_options(call).headers), **carrier})
    post_parser = getattr(_options(call), "post_parser", None)
    if callable(post_parser):
        _replace_options(call, post_parser=_observed(operation, post_parser))


def _observed(operation: Operation, post_parser: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """See the response before the SDK parses it further: that may raise, and it was billed."""

    def parse(response: Any) -> Any:
        operation.observe(response)
        return post_parser(response)

    return parse


class Embedding(Embeddings):
    """An embeddings request; its result may be a raw response."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Gather from the response."""
        self.response_model = text(value, "model")
        usage = usage_of(field(value, "usage"))
        if usage is not None:
            self.input_tokens = usage.input_tokens


class Fetch(FetchResponse):
    """A response read again: its tokens belong to the request that made it."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Gather from the response, and complete the request that made it if it was ours."""
        self.response_model = text(value, "model")
        status = text(value, "status")
        if status is not None:
            self.attributes[attr.GEN_AI_RESPONSE_STATUS] = status
        reasons = response_finish_reasons(value)
        if reasons:
            self.attributes[attr.GEN_AI_RESPONSE_FINISH_REASONS] = reasons
        if self.content.enabled:
            self.content.output_messages = RESPONSES.output_messages(value)
        _background.fetched(text(value, "id"), value)

    def chunk(self, item: Any) -> object:
        """Gather from one event of a stream that is read again."""
        if text(item, "type") in FINAL_EVENTS:
            self.respond(field(item, "response"))
        return None
