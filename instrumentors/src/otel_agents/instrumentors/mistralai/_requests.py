"""Model calls of the SDK: what starts them, and the request that each sends."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final, cast

from opentelemetry.context import get_current

from otel_agents.instrumentors._core.calls.call import Call, Start
from otel_agents.instrumentors._core.context.sending import expect_sending, sending
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects import generation
from otel_agents.instrumentors._dialects.api import WireFormat
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import field, text
from otel_agents.instrumentors._dialects.mistral.requests import embeddings_attributes
from otel_agents.instrumentors._dialects.mistral.response_fields import embeddings_fields
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.instrumentors.settings import Prefer
from otel_agents.semconv.values import Provider

from ._native_telemetry import native_records

if TYPE_CHECKING:
    import httpx2
    from mistralai.client.basesdk import BaseSDK

__all__ = ["embed", "infer", "send"]


_FIRST_ERROR: Final = 400
"""The first HTTP status that is an error; a response that the SDK cannot read has another."""
_CODES: Final = ("type", "code", "status")


class _Request(Operation):
    """An operation whose errors are the SDK's, which has one class for nearly all of them."""

    __slots__ = ()

    def error_code(self, error: BaseException) -> str | None:
        """Return the type or code in the body of an HTTP error, else its status.

        For an event of a stream that is an error the SDK raises that it is no chunk.
        """
        status, body = getattr(error, "status_code", None), getattr(error, "body", None)
        if not isinstance(status, int):
            return None
        if status < _FIRST_ERROR:
            return code_in(_error_in(_parsed(body)), *_CODES)
        return code_in(_parsed(body), *_CODES) or str(status)


def _error_in(event: Any) -> Any:
    """Return the data of an event if it is an error; None for any other."""
    data = field(event, "data")
    return data if text(data, "object") == "error" or field(data, "error") is not None else None


def _parsed(body: Any) -> Any:
    try:
        parsed = json.loads(body) if isinstance(body, str) else None
    except (ValueError, RecursionError):  # a gateway's page
        return None
    # Google Cloud's streams have a list.
    return next(iter(cast("list[Any]", parsed)), None) if isinstance(parsed, list) else parsed


class Generation(_Request, generation.Generation):
    """An inference of the SDK."""

    __slots__ = ()


class Embedding(_Request, generation.Embedding):
    """A request for embeddings."""

    __slots__ = ()


def _requested_model(body: Mapping[str, Any]) -> str | None:
    return text(body, "model")


def infer(
    wire_format: WireFormat,
    provider: Provider,
    *,
    streamed: bool = False,
    model_of: Callable[[Mapping[str, Any]], str | None] = _requested_model,
) -> Start:
    """Return what starts the inference of a method, all of whose arguments are keywords."""
    named = provider.value

    def start(telemetry: Telemetry, call: Call) -> Generation | None:
        if telemetry.settings.prefer is Prefer.THEIRS and native_records(telemetry, call.instance):
            return None
        body: Mapping[str, Any] = {**call.kwargs, "stream": True} if streamed else call.kwargs
        operation = Generation(
            telemetry, wire_format, body, named, _server(call), model=model_of(body)
        )
        expect_sending(operation)
        return operation

    return start


def embed(provider: Provider) -> Start:
    """Return what starts ``embeddings.create``."""

    def start(telemetry: Telemetry, call: Call) -> Embedding | None:
        if telemetry.settings.prefer is Prefer.THEIRS and native_records(telemetry, call.instance):
            return None
        body = call.kwargs
        attributes = embeddings_attributes(body)
        model, server = text(body, "model"), _server(call)
        operation = Embedding(
            telemetry, embeddings_fields, attributes, provider.value, model, server
        )
        expect_sending(operation)
        return operation

    return start


def _server(call: Call) -> tuple[str, int] | None:
    resource: BaseSDK = call.instance
    return server_of(
        call.kwargs.get("server_url") or resource.sdk_configuration.get_server_details()[0]
    )


def send(telemetry: Telemetry, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Note that ``BaseSDK.do_request(hook_ctx, request, …)`` sends, and add trace headers."""
    if sending() is not None and telemetry.settings.propagate_headers:
        http_request: httpx2.Request = args[2] if len(args) > 2 else kwargs["request"]
        carrier = headers_for(telemetry, http_request.url.host, get_current())
        http_request.headers.update(carrier)
