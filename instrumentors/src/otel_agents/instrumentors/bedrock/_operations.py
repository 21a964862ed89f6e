"""The operations on Bedrock: what a client returns, now or as something that is read later."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from otel_agents.instrumentors._core.calls import results
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.operations import Operation, Retrieval
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Usage, WireFormat
from otel_agents.instrumentors._dialects.bedrock.bodies import (
    embeddings_attributes,
    embeddings_fields,
    json_object,
)
from otel_agents.instrumentors._dialects.bedrock.retrieval import (
    document,
    documents_in_event,
    documents_in_response,
)
from otel_agents.instrumentors._dialects.bedrock.usage import usage_in_chunk, usage_in_headers
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, text
from otel_agents.instrumentors._dialects.generation import Embedding, Generation, record_usage
from otel_agents.semconv.values import Provider

__all__ = ["BedrockEmbedding", "BedrockGeneration", "BedrockRetrieval", "Server"]

_PROVIDER: Final = Provider.AWS_BEDROCK.value
_METADATA: Final = "ResponseMetadata"
Server = tuple[str, int] | None


class _AwsOperation(Operation):
    """An operation whose errors are botocore's."""

    __slots__ = ()

    def error_code(self, error: BaseException) -> str | None:
        """Return the service's own name of an error, of which botocore may have no class."""
        response = as_mapping(getattr(error, "response", None))
        code = code_in(response.get("Error"), "Code")
        return code and code[0].upper() + code[1:]  # a stream has the name of an event's member


class BedrockGeneration(_AwsOperation, Generation):
    """An inference by Converse or InvokeModel.

    ``held`` is the key of what is read later in the response; None if there is nothing.
    """

    __slots__ = ("_held_key", "_metadata", "_usage")

    def __init__(
        self,
        telemetry: Telemetry,
        wire_format: WireFormat,
        body: Body,
        model: str | None,
        server: Server,
        *,
        held: str | None = None,
    ) -> None:
        super().__init__(telemetry, wire_format, body, _PROVIDER, server, model=model)
        self._held_key = held
        self._metadata: Any = None
        self._usage: Usage | None = None

    def returned(self, value: Any) -> Any:
        """Record the response, now or while its body or stream is read."""
        self._metadata = value.get(_METADATA)
        if self._held_key is not None:
            return _follow(self, value, self._held_key)
        self.respond(value)
        self.end()
        return value

    def chunk(self, item: Any) -> object:
        """Record one event of a stream: Converse's own, or a chunk with a model's JSON in it."""
        encoded = item.get("chunk")
        if encoded is None:
            return super().chunk(item)
        payload = json_object(encoded.get("bytes"))
        self._usage = usage_in_chunk(payload) or self._usage
        return super().chunk(payload)

    def conclude(self) -> None:
        """Record what was accumulated, and what the body does not have."""
        if not self._responded or self.error is not None:
            super().conclude()
        if self.input_tokens is None and self.output_tokens is None:
            usage = self._usage or usage_in_headers(_headers_in(self._metadata))
            if usage is not None:
                record_usage(self, usage)
        if self.response_id is None:
            self.response_id = text(self._metadata, "RequestId")


class BedrockEmbedding(_AwsOperation, Embedding):
    """An embedding by InvokeModel."""

    __slots__ = ("_usage",)

    def __init__(self, telemetry: Telemetry, body: Body, model: str | None, server: Server) -> None:
        attributes = embeddings_attributes(body)
        super().__init__(telemetry, embeddings_fields, attributes, _PROVIDER, model, server)
        self._usage: Usage | None = None

    def returned(self, value: Any) -> Any:
        """Record the response when its body is read."""
        self._usage = _usage_of(value)
        return _follow(self, value, "body")

    def conclude(self) -> None:
        """Record what the body does not have: an embedding has input tokens alone."""
        super().conclude()
        if self.input_tokens is None and self._usage is not None:
            self.input_tokens = self._usage.input_tokens


class BedrockRetrieval(_AwsOperation, Retrieval):
    """A query of a knowledge base.

    ``model`` generates a response from what was found, if there is one. ``held`` is the key of a
    stream in the response; None if there is none.
    """

    __slots__ = ("_documents", "_held_key")

    def __init__(
        self,
        telemetry: Telemetry,
        knowledge_base: str | None,
        model: str | None,
        server: Server,
        *,
        held: str | None = None,
    ) -> None:
        super().__init__(
            telemetry, data_source=knowledge_base, provider=_PROVIDER, model=model, server=server
        )
        self._held_key = held
        self._documents: list[Any] = []

    def returned(self, value: Any) -> Any:
        """Record the response, now or while its stream is read."""
        return _follow(self, value, self._held_key)

    def respond(self, value: Any) -> None:
        """Record the documents of a whole response."""
        self._documents += documents_in_response(value)

    def chunk(self, item: Any) -> object:
        """Record the documents that an event of a stream cites, or has."""
        self._documents += documents_in_event(item)
        return None

    def conclude(self) -> None:
        """Record the documents."""
        super().conclude()
        if self._documents:
            self.content.retrieval_documents = Items(self._documents, document)


def _follow(operation: Any, response: Any, held: str | None) -> Any:
    if held is not None:
        return results.follow_held(operation, response, held, size=_size_of(response))
    operation.respond(response)
    operation.end()
    return response


def _headers_of(response: Any) -> Mapping[str, Any]:
    return _headers_in(response.get(_METADATA))


def _headers_in(metadata: Any) -> Mapping[str, Any]:
    return as_mapping(as_mapping(metadata).get("HTTPHeaders"))


def _usage_of(response: Any) -> Usage | None:
    """Return the usage in the headers of an InvokeModel response."""
    return usage_in_headers(_headers_of(response))


def _size_of(response: Any) -> int | None:
    """Return the bytes of a body; None if the headers do not have their number."""
    size = str(_headers_of(response).get("content-length", ""))
    return int(size) if size.isdecimal() else None
