"""The requests of the SDK: the endpoints they are sent to, and those that generate nothing."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.operations import FetchResponse, Operation
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping, field, text
from otel_agents.instrumentors._dialects.openai import generation, stream_usage
from otel_agents.instrumentors._dialects.openai.api import OpenAIApi
from otel_agents.instrumentors._dialects.openai.apis import APIS
from otel_agents.instrumentors._dialects.openai.chat import CHAT
from otel_agents.instrumentors._dialects.openai.completions import COMPLETIONS
from otel_agents.instrumentors._dialects.openai.hosts import known_provider
from otel_agents.instrumentors._dialects.openai.responses import (
    FINAL_EVENTS,
    RESPONSES,
    response_finish_reasons,
)
from otel_agents.instrumentors._sdks import embeddings
from otel_agents.instrumentors._sdks.stainless import (
    Endpoints,
    RequestOptions,
    Sdk,
    body_of,
    is_raw,
    propagate_and_observe,
    replace_options,
)
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import _background

if TYPE_CHECKING:
    from openai._base_client import BaseClient

__all__ = ["ENDPOINTS", "request"]

_ONE_RESPONSE: Final = re.compile(r"/responses/([^/]+)")
_CANCEL: Final = re.compile(r"/responses/[^/]+/cancel")
_USAGE_IS_OPTIONAL: Final = (CHAT, COMPLETIONS)


def _provider(client: BaseClient[Any, Any], host: str) -> str | None:
    if any(cls.__name__ == "BaseAzureClient" for cls in type(client).__mro__):
        return values.Provider.AZURE_AI_OPENAI.value
    return known_provider(host)


ENDPOINTS: Final = Endpoints(_provider, values.Provider.OPENAI.value)
"""The endpoints of the SDK's clients."""


def _other(
    telemetry: Telemetry, call: Call, options: RequestOptions, path: str
) -> CallObserver | None:
    """Observe embeddings, and the responses that are fetched, cancelled or deleted."""
    method = options.method.lower()
    if method == "post":
        if path.endswith(embeddings.PATH):
            return embeddings.embed(telemetry, call, options, ENDPOINTS)
        return _background.Cancellation() if _CANCEL.fullmatch(path) else None
    matched = _ONE_RESPONSE.fullmatch(path)
    if matched is None:
        return None
    if method == "get":
        return _fetch(telemetry, call, options, matched[1])
    return _background.Deletion(matched[1]) if method == "delete" else None


def _fetch(
    telemetry: Telemetry, call: Call, options: RequestOptions, response_id: str
) -> Operation:
    endpoint = ENDPOINTS.of(call.instance)
    fetch = Fetch(telemetry, endpoint.provider, response_id, endpoint.server)
    fetch.attributes[attr.OPENAI_API_TYPE] = RESPONSES.type
    cursor = as_mapping(options.params).get("starting_after")
    if isinstance(cursor, (int, str)) and not isinstance(cursor, bool):
        fetch.attributes[attr.GEN_AI_REQUEST_STREAM_CURSOR] = str(cursor)
    propagate_and_observe(telemetry, call, endpoint.host, fetch)
    return fetch


class Generation(generation.Generation):
    """An inference of any of OpenAI's APIs."""

    __slots__ = ()

    def hold(self, response_id: str) -> None:
        """Keep the operation open until the response is fetched."""
        self.hold_open = lambda: _background.hold(response_id, self)


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


def _request_usage(
    call: Call, options: RequestOptions, api: OpenAIApi, inference: Generation
) -> None:
    """Request the usage of a stream that does not, and have its chunk hidden.

    Nothing can be hidden of a raw response, whose bytes and timing are the caller's. For a raw
    response usage is requested only if a layer above withholds the chunk.
    """
    raw = is_raw(options)
    if api not in _USAGE_IS_OPTIONAL or (raw and not inference.withholds_usage):
        return
    endpoint = ENDPOINTS.of(call.instance)
    stream_options = stream_usage.usage_option(body_of(options), endpoint.server)
    if stream_options is None:
        return
    with_option = {**as_mapping(options.json_data), stream_usage.OPTION: stream_options}
    replace_options(call, json_data=with_option)
    stream_usage.retry_without_usage(
        call, endpoint.server, lambda: replace_options(call, json_data=options.json_data)
    )
    inference.hides_usage = not raw


request: Final = Sdk(
    APIS,
    ENDPOINTS,
    Generation,
    other=_other,
    others=(embeddings.PATH,),
    request_usage=_request_usage,
).request
"""Observes ``SyncAPIClient.request(cast_to, options, …)`` or its async twin."""
