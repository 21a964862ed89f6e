"""Operations for requests to Google's models: provider, endpoint, headers, errors."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.context.sending import expect_sending
from otel_agents.instrumentors._core.operations import Operation
from otel_agents.instrumentors._core.telemetry.propagation import headers_for
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import ResponseFields, WireFormat
from otel_agents.instrumentors._dialects.fields import as_mapping, fields_of
from otel_agents.instrumentors._dialects.generation import Embedding, Generation, record_usage
from otel_agents.instrumentors._dialects.google.api import GENERATE_CONTENT
from otel_agents.instrumentors._dialects.google.embeddings import (
    embeddings_attributes,
    embeddings_fields,
)
from otel_agents.instrumentors._dialects.google.images import IMAGES, VIDEOS
from otel_agents.instrumentors._dialects.google.responses import error_status, response_fields
from otel_agents.instrumentors._dialects.google.spellings import camel_case, field, text
from otel_agents.instrumentors._dialects.servers import server_of
from otel_agents.semconv import values

from ._traces import parent, started

if TYPE_CHECKING:
    from google.genai._api_client import BaseApiClient

__all__ = ["embed", "generate", "generate_images", "generate_stream", "generate_videos"]

_ERRORS: Final = "google.genai.errors"
_VERTEX_AI: Final = values.Provider.GCP_VERTEX_AI.value
_GEMINI: Final = values.Provider.GCP_GEMINI.value


def generate(telemetry: Telemetry, call: Call) -> Operation:
    """Start at ``_generate_content(*, model, contents, config)``, sync or async."""
    return _generation(telemetry, call, GENERATE_CONTENT, call.kwargs)


def generate_stream(telemetry: Telemetry, call: Call) -> Operation:
    """Start at ``_generate_content_stream(*, model, contents, config)``, sync or async."""
    return _generation(telemetry, call, GENERATE_CONTENT, {**call.kwargs, "stream": True})


def generate_images(telemetry: Telemetry, call: Call) -> Operation:
    """Start at a method that generates, edits or segments pictures."""
    return _generation(telemetry, call, IMAGES, call.kwargs)


def generate_videos(telemetry: Telemetry, call: Call) -> Operation:
    """Start at a method that returns the operation which generates a video."""
    return _generation(telemetry, call, VIDEOS, call.kwargs)


def embed(telemetry: Telemetry, call: Call) -> Operation:
    """Start at a method that embeds contents."""
    provider, server = _endpoint(call)
    model, attributes = text(call.kwargs, "model"), embeddings_attributes(call.kwargs)
    embedding = ContentEmbedding(telemetry, embeddings_fields, attributes, provider, model, server)
    expect_sending(embedding)
    _send_with_headers(telemetry, call, server, embedding)
    return embedding


def _generation(
    telemetry: Telemetry, call: Call, wire_format: WireFormat, body: dict[str, Any]
) -> Operation:
    provider, server = _endpoint(call)
    body = {"config": None, **body}
    context = get_current() if call.context is None else call.context
    generation = ContentGeneration(
        telemetry, wire_format, body, provider, server, parent=parent(context)
    )
    started(generation, context)
    expect_sending(generation)
    _send_with_headers(telemetry, call, server, generation)
    return generation


def _endpoint(call: Call) -> tuple[str, tuple[str, int] | None]:
    """Return the provider, and the host and port of the request, else of the client."""
    client: BaseApiClient = call.instance._api_client
    provider = _VERTEX_AI if client.vertexai else _GEMINI
    config = call.kwargs.get("config")
    options = field(config, "http_options") if config is not None else None
    requested = text(options, "base_url") if options is not None else None
    url = requested or fields_of(client._http_options).get("base_url")  # pyright: ignore[reportPrivateUsage]  no public attribute has the default
    return provider, server_of(url)


def _send_with_headers(
    telemetry: Telemetry, call: Call, server: tuple[str, int] | None, operation: Operation
) -> None:
    """Add trace headers for the hosts that the setting names, in copies of the caller's objects."""
    if not telemetry.settings.propagate_headers or server is None:
        return
    carrier = headers_for(telemetry, server[0], operation.context)
    if carrier:
        config = call.kwargs.get("config")
        options = field(config, "http_options")
        headers = {**as_mapping(field(options, "headers")), **carrier}
        changed = _with(config, "http_options", _with(options, "headers", headers))
        call.kwargs = {**call.kwargs, "config": changed}


def _with(holder: Any, name: str, value: Any) -> Any:
    """Return a copy of a model of the SDK, or of the dict in place of one, with another value."""
    copy: Callable[..., Any] | None = getattr(holder, "model_copy", None)
    if copy is not None:
        return copy(update={name: value})
    others = {key: kept for key, kept in as_mapping(holder).items() if key != camel_case(name)}
    return {**others, name: value}


class _Request(Operation):
    """An operation whose errors are the SDK's, which has one class for all errors of a client."""

    __slots__ = ()

    def error_code(self, error: BaseException) -> str | None:
        """Return the status of an error of the API, such as ``RESOURCE_EXHAUSTED``."""
        return error_status(error) if type(error).__module__ == _ERRORS else None


class ContentGeneration(_Request, Generation):
    """One request that generates something. Its result may be the response as it was received."""

    __slots__ = ("_received",)

    def __init__(self, *args: Any, parent: Context | None) -> None:
        self._received: ResponseFields | None = None
        super().__init__(*args, parent=parent)

    def receive(self, value: Any) -> None:
        """Read the JSON of a response, or of the last chunk, which has the tokens of all of them.

        Now, since the SDK then removes what its objects leave out. From 1.21 on the client returns
        text, and its objects leave nothing out.
        """
        if isinstance(value, Mapping):
            self._received = response_fields(value)

    def respond(self, value: Any) -> None:
        """Record a whole response."""
        super().respond(_parsed(value))

    def conclude(self) -> None:
        """Record what was accumulated, and what the SDK left out."""
        if not self._responded or self.error is not None:
            super().conclude()
        if self._received is not None:
            self._complete(self._received)

    def _complete(self, fields: ResponseFields) -> None:
        self.response_id = self.response_id or fields.response_id
        if fields.usage is not None:
            record_usage(self, fields.usage)


class ContentEmbedding(_Request, Embedding):
    """One request that embeds contents; its response names no model."""

    __slots__ = ()

    def receive(self, value: Any) -> None:
        """Record the JSON of a response, parsed or not."""
        body = text(value, "body")
        super().respond(value if body is None else _json_in(body))

    def respond(self, value: Any) -> None:
        """Record the response, unless its JSON was, which has more in older versions."""
        if self.input_tokens is None:
            super().respond(_parsed(value))


def _parsed(response: Any) -> Any:
    """Return a response, or the JSON in one that was requested as it is received."""
    held = fields_of(response).get("sdk_http_response")
    body = fields_of(held).get("body") if held is not None else None
    return _json_in(body) if isinstance(body, str) and body else response


def _json_in(body: str) -> Any:
    """Return the JSON in a body; None for another one, which the application may have requested."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
