"""Calls of services other than inference: retrieval, memory, hosted agents."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from opentelemetry.context import Context

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv import values

from . import kinds
from .kinds import Kind
from .models import Server
from .operation import Operation

__all__ = ["CreateAgent", "InvokeRemoteAgent", "Memory", "Retrieval"]


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
