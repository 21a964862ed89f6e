"""Observes every request of the SDK: which API and endpoint it is for, and what we add to it."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final, NamedTuple

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

if TYPE_CHECKING:
    from openai._base_client import BaseClient
    from openai._models import FinalRequestOptions

__all__ = ["Endpoint", "endpoint_of", "request"]

_EMBEDDINGS: Final = "/embeddings"
_ONE_RESPONSE: Final = re.compile(r"/responses/([^/]+)")
_CANCEL: Final = re.compile(r"/responses/[^/]+/cancel")
_RAW_HEADER: Final = "X-Stainless-Raw-Response"
_USAGE_IS_OPTIONAL: Final = (CHAT, COMPLETIONS)
_PORTS: Final = MappingProxyType({"https": 443, "http": 80})


def request(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Observe ``SyncAPIClient.request(cast_to, options, …)`` or its async twin."""
    options = _options(call)
    path = str(options.url).partition("?")[0].rstrip("/")
    method = options.method.lower()
    if method == "post":
        if path.endswith(_EMBEDDINGS):
            return _embed(telemetry, call, options)
        api = APIS.get(path) or _by_suffix(path)
        if api is not None:
            return _generate(telemetry, call, options, api)
        return _background.Cancellation() if _CANCEL.fullmatch(path) else None
    matched = _ONE_RESPONSE.fullmatch(path)
    if matched is None:
        return None
    if method == "get":
        return _fetch(telemetry, call, options, matched[1])
    return _background.Deletion(matched[1]) if method == "delete" else None


def _options(call: Call) -> FinalRequestOptions:
    return call.args[1] if len(call.args) > 1 else call.kwargs["options"]


def _by_suffix(path: str) -> Api | None:
    """Return the API of an absolute URL, or of a path that contains an Azure deployment."""
    return next((api for known, api in APIS.items() if path.endswith(known)), None)


def _body(options: FinalRequestOptions) -> Body:
    body, extra = as_mapping(options.json_data), getattr(options, "extra_json", None)
    return {**body, **as_mapping(extra)} if extra else body


class Endpoint(NamedTuple):
    """Host and port of a client, and the provider of that host.

    ``provider_is_guess`` if the host is unknown: ``provider`` then names the format of the API.
    """

    provider: str
    host: str
    port: int
    provider_is_guess: bool = False

    @property
    def server(self) -> tuple[str, int] | None:
        """Host and port; None if the client has no host."""
        return (self.host, self.port) if self.host else None


_endpoints: Final[ByObject[BaseClient[Any, Any], tuple[object, Endpoint]]] = ByObject()


def endpoint_of(client: BaseClient[Any, Any]) -> Endpoint:
    """Return the endpoint of a client; cached until the client gets another base URL."""
    url = client.base_url
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


def _provider(client: BaseClient[Any, Any], host: str) -> str | None:
    if any(cls.__name__ == "BaseAzureClient" for cls in type(client).__mro__):
        return values.Provider.AZURE_AI_OPENAI.value
    return known_provider(host)


def _generate(
    telemetry: Telemetry, call: Call, options: FinalRequestOptions, api: Api
) -> Generation:
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
    if telemetry.settings.stream_usage and api in _USAGE_IS_OPTIONAL:
        generation.hides_usage = _request_usage(call, options, body, generation)
    _propagate_and_observe(telemetry, call, endpoint, generation)
    return generation


def _embed(telemetry: Telemetry, call: Call, options: FinalRequestOptions) -> Operation:
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
    _propagate_and_observe(telemetry, call, endpoint, embedding)
    return embedding


def _fetch(
    telemetry: Telemetry, call: Call, options: FinalRequestOptions, response_id: str
) -> Operation:
    endpoint = endpoint_of(call.instance)
    fetch = Fetch(telemetry, endpoint.provider, response_id, endpoint.server)
    fetch.attributes[attr.OPENAI_API_TYPE] = RESPONSES.type
    cursor = as_mapping(options.params).get("starting_after")
    if isinstance(cursor, (int, str)) and not isinstance(cursor, bool):
        fetch.attributes[attr.GEN_AI_REQUEST_STREAM_CURSOR] = str(cursor)
    _propagate_and_observe(telemetry, call, endpoint, fetch)
    return fetch


def _replace_options(call: Call, **changes: Any) -> None:
    """Give the call a changed copy of the request's options; the caller's object stays as it is."""
    options = copy.copy(_options(call))
    for name, value in changes.items():
        setattr(options, name, value)
    if len(call.args) > 1:
        call.args = (call.args[0], options, *call.args[2:])
    else:
        call.kwargs = {**call.kwargs, "options": options}


def _request_usage(
    call: Call, options: FinalRequestOptions, body: Body, generation: Generation
) -> bool:
    """Request the usage of a stream that does not; return whether its chunk must be hidden.

    Nothing can be hidden of a raw response, whose bytes and timing are the caller's. For a raw
    response usage is requested only if a layer above withholds the chunk.
    """
    raw = _RAW_HEADER in as_mapping(options.headers)
    if raw and not generation.withholds_usage:
        return False
    endpoint = endpoint_of(call.instance)
    stream_options = stream_usage.usage_option(body, endpoint.server)
    if stream_options is None:
        return False
    with_option = {**as_mapping(options.json_data), stream_usage.OPTION: stream_options}
    _replace_options(call, json_data=with_option)
    stream_usage.retry_without_usage(
        call, endpoint.server, lambda: _replace_options(call, json_data=options.json_data)
    )
    return not raw


def _propagate_and_observe(
    telemetry: Telemetry, call: Call, endpoint: Endpoint, operation: Operation
) -> None:
    """Add trace headers for the hosts that the setting names, and observe the SDK's parser."""
    if telemetry.settings.propagate_headers:
        carrier = headers_for(telemetry, endpoint.host, operation.context)
        if carrier:
            _replace_options(call, headers={**as_mapping(_options(call).headers), **carrier})
    post_parser = getattr(_options(call), "post_parser", None)
    if callable(post_parser):
        _replace_options(call, post_parser=_observing(operation, post_parser))


def _observing(operation: Operation, post_parser: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Observe the response before the SDK parses it: parsing may raise, yet it is billed."""

    def parse(response: Any) -> Any:
        operation.observe(response)
        return post_parser(response)

    return parse


class Embedding(Embeddings):
    """An embeddings request. Its result may be a raw response."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the response."""
        self.response_model = text(value, "model")
        usage = usage_of(field(value, "usage"))
        if usage is not None:
            self.input_tokens = usage.input_tokens


class Fetch(FetchResponse):
    """A response that is read again: its tokens belong to the request that created it."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record the response, and end the operation that requested it in this process."""
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
        """Record one event of a stream that is read again."""
        if text(item, "type") in FINAL_EVENTS:
            self.respond(field(item, "response"))
        return None
