"""Calls of services that are no inference: responses, retrieval, memory, hosted agents, MCP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from opentelemetry.context import Context
from opentelemetry.trace import SpanKind

from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import metrics, values

from .inference import ModelCall, Server
from .operation import Operation

__all__ = [
    "CreateAgent",
    "FetchResponse",
    "InvokeRemoteAgent",
    "McpRequest",
    "Memory",
    "Retrieval",
]


def _known(attributes: dict[str, Any], server: Server | None) -> dict[str, Any]:
    known = {name: value for name, value in attributes.items() if value is not None}
    if server:
        known[attr.SERVER_ADDRESS], known[attr.SERVER_PORT] = server
    return known


def _named(operation: values.Operation, subject: str | None) -> str:
    return f"{operation.value} {subject}" if subject else operation.value


class FetchResponse(ModelCall):
    """Reads a response that was generated before (GenAI semconv, "Fetch response"): no tokens."""

    __slots__ = ("_fetched",)
    carries_conversation = False

    def __init__(
        self,
        telemetry: Telemetry,
        provider: str,
        response_id: str,
        server: Server | None,
        *,
        parent: Context | None = None,
    ) -> None:
        self._fetched = response_id
        super().__init__(
            telemetry, values.Operation.FETCH_RESPONSE, provider, None, server, parent=parent
        )

    def _finish(self) -> None:
        self.attributes[attr.GEN_AI_RESPONSE_ID] = self._fetched
        super()._finish()

    def measure(self) -> None:
        """Duration."""
        attributes = {**self.metric_attributes, **self.error_attributes}
        self.telemetry.instruments.operation_duration(self.duration, attributes, self.context)


class _ClientOperation(Operation):
    """A client operation whose duration is recorded with its first attributes."""

    __slots__ = ("_measured",)

    def measure(self) -> None:
        """Duration."""
        attributes = {**self._measured, **self.error_attributes}
        self.telemetry.instruments.operation_duration(self.duration, attributes, self.context)

    def _measure_with(self, first: dict[str, Any]) -> None:
        self._measured = {name: first[name] for name in _MEASURED if name in first}


_MEASURED = (
    attr.GEN_AI_OPERATION_NAME,
    attr.GEN_AI_PROVIDER_NAME,
    attr.GEN_AI_REQUEST_MODEL,
    attr.SERVER_ADDRESS,
    attr.SERVER_PORT,
)


class Retrieval(_ClientOperation):
    """A search in a data source (GenAI semconv, "Retrieval")."""

    __slots__ = ()
    carries_conversation = False

    def __init__(
        self,
        telemetry: Telemetry,
        *,
        data_source: str | None = None,
        provider: str | None = None,
        model: str | None = None,
        server: Server | None = None,
        parent: Context | None = None,
    ) -> None:
        operation = values.Operation.RETRIEVAL
        first = _known(
            {
                attr.GEN_AI_OPERATION_NAME: operation.value,
                attr.GEN_AI_DATA_SOURCE_ID: data_source,
                attr.GEN_AI_PROVIDER_NAME: provider,
                attr.GEN_AI_REQUEST_MODEL: model,
            },
            server,
        )
        self._measure_with(first)
        name = _named(operation, data_source)
        super().__init__(telemetry, name, SpanKind.CLIENT, first, parent=parent)


class Memory(_ClientOperation):
    """One of the seven memory operations (GenAI semconv, "Memory").

    Args:
        telemetry: What to emit with.
        operation: ``search_memory``, ``create_memory``, …
        store: ``gen_ai.memory.store.id``.
        provider: The external service, if one is called; None in-process.
        server: Its host and port.
        parent: The context to work in; default is the current one.
    """

    __slots__ = ()
    carries_conversation = False

    def __init__(
        self,
        telemetry: Telemetry,
        operation: values.Operation,
        *,
        store: str | None = None,
        provider: str | None = None,
        server: Server | None = None,
        parent: Context | None = None,
    ) -> None:
        first = _known(
            {
                attr.GEN_AI_OPERATION_NAME: operation.value,
                attr.GEN_AI_MEMORY_STORE_ID: store,
                attr.GEN_AI_PROVIDER_NAME: provider,
            },
            server,
        )
        self._measure_with(first)
        kind = SpanKind.CLIENT if provider else SpanKind.INTERNAL
        super().__init__(telemetry, operation.value, kind, first, parent=parent)

    def keep(self, records: Sequence[Any], convert: Callable[[Any], Any]) -> None:
        """Count ``records``, and have them converted where content is wanted."""
        self.attributes[attr.GEN_AI_MEMORY_RECORD_COUNT] = len(records)
        if self.telemetry.gate.wanted:
            listed = list(records)
            self.content.memory_records = lambda: [convert(one) for one in listed]


class _HostedAgentOperation(_ClientOperation):
    __slots__ = ()

    def __init__(
        self,
        telemetry: Telemetry,
        operation: values.Operation,
        provider: str,
        *,
        agent_name: str | None = None,
        model: str | None = None,
        server: Server | None = None,
        parent: Context | None = None,
    ) -> None:
        first = _known(
            {
                attr.GEN_AI_OPERATION_NAME: operation.value,
                attr.GEN_AI_PROVIDER_NAME: provider,
                attr.GEN_AI_AGENT_NAME: agent_name,
                attr.GEN_AI_REQUEST_MODEL: model,
            },
            server,
        )
        self._measure_with(first)
        name = _named(operation, agent_name)
        super().__init__(telemetry, name, SpanKind.CLIENT, first, parent=parent)


class CreateAgent(_HostedAgentOperation):
    """Creates an agent at a service (GenAI semconv, "Create agent"), never a local object."""

    __slots__ = ()
    carries_conversation = False

    def __init__(self, telemetry: Telemetry, provider: str, **known: Any) -> None:
        super().__init__(telemetry, values.Operation.CREATE_AGENT, provider, **known)


class InvokeRemoteAgent(_HostedAgentOperation):
    """Runs an agent of a service (GenAI semconv, "Invoke agent", client)."""

    __slots__ = ()

    def __init__(self, telemetry: Telemetry, provider: str, **known: Any) -> None:
        super().__init__(telemetry, values.Operation.INVOKE_AGENT, provider, **known)


class McpRequest(Operation):
    """A request or notification of the Model Context Protocol (MCP semconv, client and server).

    Args:
        telemetry: What to emit with.
        method: ``mcp.method.name``.
        tool: The tool of a ``tools/call``.
        prompt: The prompt of a ``prompts/get``.
        server_side: Whether this process answers the request.
        parent: The context to work in; default is the current one.
    """

    __slots__ = ("_measured", "_server_side")
    carries_conversation = False

    def __init__(
        self,
        telemetry: Telemetry,
        method: str,
        *,
        tool: str | None = None,
        prompt: str | None = None,
        server_side: bool = False,
        parent: Context | None = None,
    ) -> None:
        operation = values.Operation.EXECUTE_TOOL.value if tool else None
        first = _known(
            {
                attr.MCP_METHOD_NAME: method,
                attr.GEN_AI_TOOL_NAME: tool,
                attr.GEN_AI_PROMPT_NAME: prompt,
                attr.GEN_AI_OPERATION_NAME: operation,
            },
            None,
        )
        self._server_side = server_side
        self._measured = first
        target = tool or prompt
        name = f"{method} {target}" if target else method
        kind = SpanKind.SERVER if server_side else SpanKind.CLIENT
        super().__init__(telemetry, name, kind, first, parent=parent)

    def measure(self) -> None:
        """Duration, on the side that this is."""
        metric = (
            metrics.MCP_SERVER_OPERATION_DURATION
            if self._server_side
            else metrics.MCP_CLIENT_OPERATION_DURATION
        )
        attributes = {**self._measured, **self.error_attributes}
        self.telemetry.instruments.record(metric, self.duration, attributes, self.context)
