"""Calls of services that are no inference: retrieval, memory, hosted agents, MCP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from opentelemetry.context import Context
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import kinds
from .inference import Server
from .kinds import Kind
from .operation import Operation

__all__ = ["CreateAgent", "InvokeRemoteAgent", "McpRequest", "Memory", "Retrieval"]


def _known(attributes: dict[str, Any], server: Server | None = None) -> dict[str, Any]:
    known = {name: value for name, value in attributes.items() if value is not None}
    if server:
        known[attr.SERVER_ADDRESS], known[attr.SERVER_PORT] = server
    return known


def _named(operation: values.Operation, subject: str | None) -> str:
    return f"{operation.value} {subject}" if subject else operation.value


class Retrieval(Operation):
    """A search in a data source (GenAI semconv, "Retrieval")."""

    __slots__ = ()

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
        start_attributes = {
            attr.GEN_AI_OPERATION_NAME: operation.value,
            attr.GEN_AI_DATA_SOURCE_ID: data_source,
            attr.GEN_AI_PROVIDER_NAME: provider,
            attr.GEN_AI_REQUEST_MODEL: model,
        }
        name = _named(operation, data_source)
        super().__init__(
            telemetry, kinds.CLIENT_ALONE, name, _known(start_attributes, server), parent=parent
        )


class Memory(Operation):
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
        start_attributes = {
            attr.GEN_AI_OPERATION_NAME: operation.value,
            attr.GEN_AI_MEMORY_STORE_ID: store,
            attr.GEN_AI_PROVIDER_NAME: provider,
        }
        kind = kinds.CLIENT_ALONE if provider else kinds.LOCAL_CLIENT
        super().__init__(
            telemetry, kind, operation.value, _known(start_attributes, server), parent=parent
        )

    def record(self, records: Sequence[Any], convert: Callable[[Any], Any]) -> None:
        """Count ``records``, and keep them, converted, where content is wanted."""
        self.attributes[attr.GEN_AI_MEMORY_RECORD_COUNT] = len(records)
        self.content.memory_records = Items(records, convert)


class _HostedAgentOperation(Operation):
    """An operation of a service on its agent.

    Args:
        telemetry: What to emit with.
        provider: ``gen_ai.provider.name``.
        agent_name: The agent's name.
        model: The model that it is made with.
        server: Host and port of the service.
        parent: The context to work in; default is the current one.
    """

    __slots__ = ()
    kind: ClassVar[Kind]
    operation: ClassVar[values.Operation]

    def __init__(
        self,
        telemetry: Telemetry,
        provider: str,
        *,
        agent_name: str | None = None,
        model: str | None = None,
        server: Server | None = None,
        parent: Context | None = None,
    ) -> None:
        start_attributes = {
            attr.GEN_AI_OPERATION_NAME: self.operation.value,
            attr.GEN_AI_PROVIDER_NAME: provider,
            attr.GEN_AI_AGENT_NAME: agent_name,
            attr.GEN_AI_REQUEST_MODEL: model,
        }
        name = _named(self.operation, agent_name)
        super().__init__(
            telemetry, self.kind, name, _known(start_attributes, server), parent=parent
        )


class CreateAgent(_HostedAgentOperation):
    """Creates an agent at a service (GenAI semconv, "Create agent"), never a local object."""

    __slots__ = ()
    kind = kinds.CLIENT_ALONE
    operation = values.Operation.CREATE_AGENT


class InvokeRemoteAgent(_HostedAgentOperation):
    """Runs an agent of a service (GenAI semconv, "Invoke agent", client)."""

    __slots__ = ()
    kind = kinds.CLIENT
    operation = values.Operation.INVOKE_AGENT


class McpRequest(Operation):
    """A request or notification of the Model Context Protocol (MCP semconv, client and server).

    Args:
        telemetry: What to emit with.
        method: ``mcp.method.name``.
        tool: The tool of a ``tools/call``.
        prompt: The prompt of a ``prompts/get``.
        server_side: Whether this process answers the request.
        parent: The context to work in; default is the current one.
        links: Links of the span, as to the HTTP request that brought it.
    """

    __slots__ = ()

    def __init__(
        self,
        telemetry: Telemetry,
        method: str,
        *,
        tool: str | None = None,
        prompt: str | None = None,
        server_side: bool = False,
        parent: Context | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        start_attributes = {
            attr.MCP_METHOD_NAME: method,
            attr.GEN_AI_TOOL_NAME: tool,
            attr.GEN_AI_PROMPT_NAME: prompt,
            attr.GEN_AI_OPERATION_NAME: values.Operation.EXECUTE_TOOL.value if tool else None,
            attr.OTEL_AGENTS_STEP_TYPE: None if tool else "mcp_request",
        }
        target = tool or prompt
        name = f"{method} {target}" if target else method
        kind = kinds.MCP_SERVER if server_side else kinds.MCP_CLIENT
        super().__init__(
            telemetry, kind, name, _known(start_attributes), parent=parent, links=links
        )
