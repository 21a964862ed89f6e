"""The clients that Stainless generates: those of OpenAI, Anthropic and Groq.

Every request passes ``SyncAPIClient.request(cast_to, options, …)`` or its async twin, below the
SDK's own retries.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Container, Mapping
from types import MappingProxyType
from typing import Any, Final, Generic, NamedTuple, Protocol, TypeVar, cast
from weakref import ReferenceType, ref

from opentelemetry.context import Context

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.calls.results import ResultObserver
from otel_agents.instrumentors._core.encoding.plain import kind_of
from otel_agents.instrumentors._core.operations import Inference
from otel_agents.instrumentors._core.tables import ByObject
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Api
from otel_agents.instrumentors._dialects.fields import Body, as_mapping

__all__ = [
    "Client",
    "Endpoint",
    "Endpoints",
    "RequestOptions",
    "Sdk",
    "body_of",
    "is_raw",
    "options_of",
    "path_of",
    "propagate",
    "propagate_and_observe",
    "replace_options",
]

_PORTS: Final = MappingProxyType({"https": 443, "http": 80})
_RAW_HEADER: Final = "X-Stainless-Raw-Response"
_OPTIONS: Final = "options"
_MAX_BYTES: Final = 1024 * 1024
"""Bytes; a larger JSON body is not parsed again."""


def _unobserved(telemetry: Telemetry, call: Call, options: RequestOptions, path: str) -> None:
    return None


class RequestOptions(Protocol):
    """The SDKs' ``FinalRequestOptions``."""

    method: str
    url: str
    json_data: Any
    params: Any
    headers: Any


class Client(Protocol):
    """The SDKs' ``BaseClient``."""

    @property
    def base_url(self) -> Any:
        """The base URL, an ``httpx.URL``."""
        ...


def options_of(call: Call) -> RequestOptions:
    """Return the options of ``request(cast_to, options, …)`` or ``_attempt_request(options, …)``."""
    options = call.kwargs.get(_OPTIONS)
    return call.args[_position(call)] if options is None else options


def _position(call: Call) -> int:
    """Return the position of the options: an attempt has no other positional argument."""
    return min(len(call.args) - 1, 1)


def path_of(options: RequestOptions) -> str:
    """Return the path below the base URL, or an absolute URL, without its query."""
    return str(options.url).partition("?")[0].rstrip("/")


def body_of(options: RequestOptions) -> Body:
    """Return the body as it is sent: with what ``extra_body`` adds."""
    body, extra = options.json_data, getattr(options, "extra_json", None)
    if not isinstance(body, dict):
        body = _read(getattr(options, "content", None) if body is None else body)
    return {**body, **as_mapping(extra)} if extra else cast(Body, body)


def _read(body: Any) -> Body:
    """Return the fields of a body that is no dict: a mapping, a pydantic model or JSON."""
    dump = getattr(body, "model_dump", None)
    if dump is not None:  # as the SDKs do
        return dump(mode="json", by_alias=True, exclude_unset=True)
    if isinstance(body, (bytes, bytearray)) and len(body) <= _MAX_BYTES:
        try:
            body = json.loads(body)
        except (ValueError, RecursionError):  # no JSON
            return {}
    return as_mapping(body)


def is_raw(options: RequestOptions) -> bool:
    """Return whether the caller gets the raw response, whose bytes and timing are the caller's."""
    return _RAW_HEADER in as_mapping(options.headers)


def replace_options(call: Call, **changes: Any) -> None:
    """Give the call a changed copy of the request's options; the caller's object stays as it is."""
    options = copy.copy(options_of(call))
    for name, value in changes.items():
        setattr(options, name, value)
    if _OPTIONS in call.kwargs:
        call.kwargs = {**call.kwargs, _OPTIONS: options}
    else:
        index = _position(call)
        call.args = (*call.args[:index], options, *call.args[index + 1 :])


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


class Endpoints:
    """The endpoints of an SDK's clients, cached until a client gets another base URL.

    Args:
        provider: Returns the provider of a client and its host; None if the host is unknown.
        default: The provider for an unknown host.
    """

    def __init__(self, provider: Callable[[Any, str], str | None], default: str) -> None:
        self._provider = provider
        self._default = default
        self._known: ByObject[Client, tuple[object, Endpoint]] = ByObject()
        self._last: tuple[ReferenceType[Client], object, Endpoint] | None = None

    def of(self, client: Client) -> Endpoint:
        """Return the endpoint of a client."""
        url = client.base_url
        last = self._last  # a hot path: nearly every process has one client
        if last is not None and last[1] is url and last[0]() is client:
            return last[2]
        known = self._known.get(client)
        if known is not None and known[0] is url:
            self._last = (ref(client), *known)
            return known[1]
        host = str(url.host)
        port = int(url.port or _PORTS.get(url.scheme, 443))
        provider = self._provider(client, host)
        endpoint = Endpoint(provider or self._default, host, port, provider is None)
        self._known[client] = (url, endpoint)
        return endpoint


def propagate(telemetry: Telemetry, call: Call, host: str, context: Context) -> None:
    """Add trace headers for the hosts that the setting names."""
    if telemetry.settings.propagate_headers:
        carrier = headers_for(telemetry, host, context)
        if carrier:
            replace_options(call, headers={**as_mapping(options_of(call).headers), **carrier})


def propagate_and_observe(
    telemetry: Telemetry, call: Call, host: str, operation: ResultObserver
) -> None:
    """Add trace headers for the hosts that the setting names, and observe the SDK's parser."""
    if telemetry.settings.propagate_headers:
        propagate(telemetry, call, host, operation.context)
    post_parser = getattr(options_of(call), "post_parser", None)
    if callable(post_parser):
        replace_options(call, post_parser=_observing(operation, post_parser))


def _observing(
    operation: ResultObserver, post_parser: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    """Observe the response before the SDK parses it: it is billed even if parsing raises."""

    def parse(response: Any) -> Any:
        operation.observe(response)
        return post_parser(response)

    return parse


_Api = TypeVar("_Api", bound=Api)
_Inference = TypeVar("_Inference", bound=Inference)
_Inference_co = TypeVar("_Inference_co", bound=Inference, covariant=True)
_Api_contra = TypeVar("_Api_contra", bound=Api, contravariant=True)


class StartsInference(Protocol[_Api_contra, _Inference_co]):
    """A class of inference operations, as `generation.Generation`."""

    def __call__(
        self,
        telemetry: Telemetry,
        api: _Api_contra,
        body: Body,
        provider: str,
        server: tuple[str, int] | None,
        /,
        *,
        parent: Context | None,
        provider_is_guess: bool,
    ) -> _Inference_co:
        """Start the operation."""
        ...


class Sdk(Generic[_Api, _Inference]):
    """The requests of one SDK.

    Args:
        apis: Its generating APIs by path below the base URL.
        endpoints: The endpoints of its clients.
        inference: Starts the operation of a request to a generating API.
        other: Observes any other request, by its options and path.
        others: The paths of most of these requests, for which no API is looked for.
        request_usage: Requests the usage of a stream that does not report it, where the setting
            ``stream_usage`` says so.
    """

    def __init__(
        self,
        apis: Mapping[str, _Api],
        endpoints: Endpoints,
        inference: StartsInference[_Api, _Inference],
        *,
        other: Callable[[Telemetry, Call, RequestOptions, str], CallObserver | None] = _unobserved,
        others: Container[str] = (),
        request_usage: Callable[[Call, RequestOptions, _Api, _Inference], object] | None = None,
    ) -> None:
        self._apis = apis
        self._api_at = {**apis}.get  # a proxy's own `get` takes twice as long
        self._endpoints = endpoints
        self._inference = inference
        self._other = other
        self._others = others
        self._request_usage = request_usage

    def request(
        self, telemetry: Telemetry, call: Call, parent: Context | None = None
    ) -> CallObserver | None:
        """Observe ``SyncAPIClient.request(cast_to, options, …)`` or its async twin."""
        # A hot path: `options_of` and `api_of` without their calls, for what nearly every request is.
        args, kwargs = call.args, call.kwargs
        options = args[1] if len(args) == 2 and _OPTIONS not in kwargs else options_of(call)
        url = options.url
        posted = options.method == "post" and type(url) is str
        api = self._api_at(url) if posted else None
        if api is None:
            if posted and url in self._others:
                return self._other(telemetry, call, options, url)
            api = self.api_of(options)
            if api is None:
                return self._other(telemetry, call, options, path_of(options))
        inference = self.infer(telemetry, call, options, api, parent)
        settings = telemetry.settings
        if settings.stream_usage and self._request_usage is not None:
            self._request_usage(call, options, api, inference)
        if settings.propagate_headers or callable(getattr(options, "post_parser", None)):
            host = self._endpoints.of(call.instance).host
            propagate_and_observe(telemetry, call, host, inference)
        return inference

    def infer(
        self,
        telemetry: Telemetry,
        call: Call,
        options: RequestOptions,
        api: _Api,
        parent: Context | None = None,
    ) -> _Inference:
        """Start the operation of a request to a generating API."""
        provider, host, port, is_guess = self._endpoints.of(call.instance)
        body = options.json_data
        if kind_of(body) is not dict or getattr(options, "extra_json", None):  # else a hot path
            body = body_of(options)
        return self._inference(
            telemetry,
            api,
            body,
            provider,
            (host, port) if host else None,
            parent=call.context if parent is None else parent,
            provider_is_guess=is_guess,
        )

    def api_of(self, options: RequestOptions) -> _Api | None:
        """Return the generating API that a request is sent to, if it is sent to one.

        Its path may be an absolute URL or contain a deployment.
        """
        if options.method.lower() != "post":
            return None
        path = path_of(options)
        api = self._apis.get(path)
        if api is not None:
            return api
        return next((api for known, api in self._apis.items() if path.endswith(known)), None)
