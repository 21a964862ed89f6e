"""Calls of services other than inference: retrieval, memory, hosted agents, MCP."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from opentelemetry.context import Context, get_current
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.context.scope import scope_of, with_scope
from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import kinds
from .kinds import Kind
from .models import Server
from .operation import Operation
from .owner import FOREIGN_SPAN, OURS

__all__ = ["CreateAgent", "InvokeRemoteAgent", "McpRequest", "Memory", "Retrieval"]


def _known(attributes: dict[str, Any], server: Server | None = None) -> dict[str, Any]:
    known = {name: value for name, value in attributes.items() if value is not None}
    if server:
        known[attr.SERVER_ADDRESS], known[attr.SERVER_PORT] = server
    return known


def _named(operation: values.Operation, subject: str | None) -> str:
    return f"{operation.value} {subject}" if subject else operation.value


class Retrieval(Operation):
    """A search in a data source (GenAI semconv, "Retrieval").

    Example:
        >>> def search(telemetry, call):
        ...     retrieval = Retrieval(telemetry, data_source=call.instance.collection)
        ...     retrieval.content.retrieval_query = call.argument(0, "query")
        ...     return retrieval
        >>> patch = Patch("house:Store.search", search)

    Args:
        telemetry: What to emit with.
        data_source: ``gen_ai.data_source.id``.
        provider: ``gen_ai.provider.name``.
        model: The embedding model, if known.
        server: Host and port of the service.
        parent: The parent context; default is the current one.
    """

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

    Example:
        >>> def remember(telemetry, call):
        ...     memory = Memory(telemetry, values.Operation.CREATE_MEMORY)
        ...     memory.record(call.argument(0, "texts"), lambda text: {"content": text})
        ...     return memory
        >>> patch = Patch("house:Memory.save", remember)

    Args:
        telemetry: What to emit with.
        operation: ``search_memory``, ``create_memory``, …
        store: ``gen_ai.memory.store.id``.
        provider: The external service; None if the memory is in this process.
        server: Host and port of the service.
        parent: The parent context; default is the current one.
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
        """Record the number of ``records`` and, where content is enabled, the converted records."""
        self.attributes[attr.GEN_AI_MEMORY_RECORD_COUNT] = len(records)
        self.content.memory_records = Items(records, convert)


class _HostedAgentOperation(Operation):
    """The base of operations on an agent that a service hosts.

    Args:
        telemetry: What to emit with.
        provider: ``gen_ai.provider.name``.
        agent_name: The agent's name.
        model: The agent's model.
        server: Host and port of the service.
        parent: The parent context; default is the current one.
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
    """Create an agent at a service (GenAI semconv, "Create agent"); never a local object.

    Example:
        >>> def create(telemetry, call):
        ...     return CreateAgent(telemetry, "openai", agent_name=call.argument(0, "name"))
        >>> patch = Patch("house:Client.create_agent", create)
    """

    __slots__ = ()
    kind = kinds.CLIENT_ALONE
    operation = values.Operation.CREATE_AGENT


class InvokeRemoteAgent(_HostedAgentOperation):
    """Invoke an agent that a service hosts (GenAI semconv, "Invoke agent", client).

    Example:
        >>> def invoke(telemetry, call):
        ...     return InvokeRemoteAgent(telemetry, "aws.bedrock", agent_name=call.instance.name)
        >>> patch = Patch("house:Client.invoke_agent", invoke)
    """

    __slots__ = ()
    kind = kinds.CLIENT
    operation = values.Operation.INVOKE_AGENT


class McpRequest(Operation):
    """A request or notification of the Model Context Protocol (MCP semconv, client and server).

    Example:
        >>> def call_tool(telemetry, call):
        ...     return McpRequest(telemetry, "tools/call", tool=call.argument(0, "name"))
        >>> patch = Patch("house:Session.call_tool", call_tool)

    Args:
        telemetry: What to emit with.
        method: ``mcp.method.name``.
        tool: The tool of a ``tools/call``.
        prompt: The prompt of a ``prompts/get``.
        server_side: Whether this process is the server of the request.
        has_span: Whether it is a span of its own; False if that of a tool covers it, so that only
            its metrics are emitted.
        parent: The parent context; default is the current one.
        links: Links of the span, such as to the HTTP request that carried it.
    """

    __slots__ = ("_agent",)

    def __init__(
        self,
        telemetry: Telemetry,
        method: str,
        *,
        tool: str | None = None,
        prompt: str | None = None,
        server_side: bool = False,
        has_span: bool = True,
        parent: Context | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        parent = get_current() if parent is None else parent
        tool, prompt = kinds.short(tool), kinds.short(prompt)
        method, target = kinds.short(method) or "", tool or prompt
        start_attributes = {
            attr.MCP_METHOD_NAME: method,
            attr.GEN_AI_TOOL_NAME: tool,
            attr.GEN_AI_PROMPT_NAME: prompt,
            attr.GEN_AI_OPERATION_NAME: values.Operation.EXECUTE_TOOL.value if tool else None,
            attr.OTEL_AGENTS_STEP_TYPE: None if tool else "mcp_request",
        }
        scope = scope_of(parent)
        super().__init__(
            telemetry,
            kinds.MCP_SERVER if server_side else kinds.MCP_CLIENT,
            f"{method} {target}" if target else method,
            _known(start_attributes),
            parent=parent,
            links=links,
            owner=OURS if has_span else FOREIGN_SPAN,
            scope=scope,
        )
        calls_tool = bool(tool) and not server_side and scope.tool is None
        self._agent = scope.agent if calls_tool else None
        if server_side:  # what the server calls is not the work of the agent that called it
            self.context = with_scope(self.context, agent=None, tool=None)

    def _finalize(self) -> None:
        if self._agent is not None:
            self._agent.add_tool()
