"""The operations of a message: one in the process that sends it, one in that which receives it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from weakref import ReferenceType, ref

from opentelemetry.context import Context
from opentelemetry.trace import Link

from otel_agents.instrumentors._core.calls.reporting import CallObserver, report, report_failure
from otel_agents.instrumentors._core.context.slots import Slot
from otel_agents.instrumentors._core.operations import ExecuteTool, McpRequest
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import MCP_TOOL_ERROR, McpMethod

from ._connections import Connection, connection_of, transport_of
from ._messages import (
    CALLER_FAULTS,
    Message,
    code_of,
    is_error_result,
    protocol_version,
    result_content,
)

__all__ = ["MessageOperation", "ReceivedMessage", "SentMessage", "current"]

_CURRENT: Final[Slot[ReferenceType[Any]]] = Slot("mcp-message", ReferenceType)
"""The message that a context sends or handles; weak, since its own context holds it."""


class MessageOperation(McpRequest):
    """A message on either side.

    Args:
        telemetry: What to emit with.
        message: The message.
        owner: The session of mcp 1, the dispatcher of mcp 2.
        server_side: Whether this process receives it.
        has_span: Whether it is a span of its own.
        parent: The parent context; default is the current one.
        links: Links of the span.
    """

    __slots__ = ("_is_server", "_owner_of_connection", "connection", "message")

    def __init__(
        self,
        telemetry: Telemetry,
        message: Message,
        owner: object,
        *,
        server_side: bool,
        has_span: bool = True,
        parent: Context | None = None,
        links: Sequence[Link] | None = None,
    ) -> None:
        super().__init__(
            telemetry,
            message.method,
            tool=message.tool,
            prompt=message.prompt,
            server_side=server_side,
            has_span=has_span,
            parent=parent,
            links=links,
        )
        self.message = message
        self.connection: Connection = connection_of(owner)
        self._owner_of_connection = owner
        self._is_server = False
        self.context = _CURRENT.set(ref(self), self.context)
        self.attributes.update(message.attributes())
        if self.content.enabled and message.arguments is not None:
            if message.tool:
                self.content.tool_arguments = message.arguments
            elif message.prompt:
                self.content.prompt_variables = message.arguments

    def responded(self, result: Any) -> None:
        """Record the result that the client gets."""
        if self.message.method == McpMethod.INITIALIZE.value:
            self.connection.protocol_version = protocol_version(result)
        if self.message.tool is None:
            return
        if is_error_result(result):
            self.mark_failed(MCP_TOOL_ERROR)
        if self.content.enabled:
            self.content.tool_result = lambda: result_content(result)

    def error_code(self, error: BaseException) -> str | None:
        """Return the JSON-RPC code."""
        code = code_of(error)
        return None if code is None else str(code)

    def conclude(self) -> None:
        """Record what is known of the connection."""
        transport = transport_of(self._owner_of_connection)
        known = transport.attributes() if transport is not None else {}
        if self.connection.protocol_version:
            known[attr.MCP_PROTOCOL_VERSION] = self.connection.protocol_version
        for name, value in known.items():
            self.attributes.setdefault(name, value)
        if self.message.method == McpMethod.INITIALIZE.value and self.error_type is None:
            self.connection.initialized(self._is_server, self.attributes)


class SentMessage(MessageOperation):
    """A message in the process that sends it.

    Args:
        telemetry: What to emit with.
        message: The message.
        owner: The session of mcp 1, the dispatcher of mcp 2.
        has_span: Whether it is a span of its own.
        tool: The tool in progress that this message is the call of: it gets the attributes.
    """

    __slots__ = ("_tool", "is_silent", "propagates")

    def __init__(
        self,
        telemetry: Telemetry,
        message: Message,
        owner: object,
        *,
        has_span: bool = True,
        tool: ExecuteTool | None = None,
    ) -> None:
        super().__init__(telemetry, message, owner, server_side=False, has_span=has_span)
        self._tool = ref(tool) if tool is not None else None
        self.propagates = self.connection.accepts is not False
        """Whether ``_meta`` carries the trace context."""
        self.is_silent = False
        """Whether it is no span at the peer either: it is a detail of the call of a tool."""
        version = protocol_version(message.params.get("_meta")) if _is_dict(message) else None
        if version:
            self.attributes[attr.MCP_PROTOCOL_VERSION] = version
        self.connection.pending.add(self)

    def respond(self, value: Any) -> None:
        """Record the result."""
        self.responded(value)

    def is_failure(self, error: BaseException) -> bool:
        """Record the code of an error response: each is an error for who sent the request."""
        code = code_of(error)
        if code is not None:
            self.attributes[attr.RPC_RESPONSE_STATUS_CODE] = str(code)
        return True

    def conclude(self) -> None:
        """Add the protocol's attributes to the tool that this is the call of."""
        super().conclude()
        tool = self._tool() if self._tool is not None else None
        if tool is not None and not tool.ended:
            tool.attributes.update(self.attributes)
            tool.attributes[attr.MCP_METHOD_NAME] = self.message.method
            if self.error_type is not None:
                tool.error_type = self.error_type


class ReceivedMessage(MessageOperation):
    """A message in the process that receives it.

    Args:
        telemetry: What to emit with.
        message: The message.
        owner: The session of mcp 1, the dispatcher of mcp 2.
        parent: The context that it continues.
        is_server: Whether this process is the server of the session.
        known: Attributes that the transport of this message has.
        links: Links of the span.
        has_span: Whether it is a span of its own.
    """

    __slots__ = ("_handling", "responder")

    def __init__(
        self,
        telemetry: Telemetry,
        message: Message,
        owner: object,
        *,
        parent: Context,
        is_server: bool,
        known: Mapping[str, Any],
        links: Sequence[Link] | None = None,
        has_span: bool = True,
    ) -> None:
        super().__init__(
            telemetry,
            message,
            owner,
            server_side=True,
            has_span=has_span,
            parent=parent,
            links=links,
        )
        self._is_server = is_server
        self._handling: CallObserver | None = None
        self.responder: Any = None
        """What mcp 1 responds with."""
        self.attributes.update(known)

    def handled_by(self, observer: CallObserver) -> None:
        """Run the handler in the context of ``observer``, which gets the response."""
        self._handling = observer
        self.context = observer.context

    def respond(self, value: Any) -> None:
        """Record the result that a handler of mcp 2 returned."""
        if isinstance(value, Mapping):
            self.responded(value)
        elif self.responder is not None and getattr(self.responder, "cancelled", False):
            self.mark_failed("CancelledError")

    def response_sent(self, response: Any) -> None:
        """Record the response that mcp 1 sends: a result, or an error."""
        code = code_of(response)
        if code is None:
            outcome = getattr(response, "root", response)
            self.responded(outcome)
            self._pass_on(outcome)
            return
        self._pass_on(response)
        self.attributes[attr.RPC_RESPONSE_STATUS_CODE] = str(code)
        if code not in CALLER_FAULTS:
            self.mark_failed(str(code))

    def is_failure(self, error: BaseException) -> bool:
        """Record the code of an error response, which may be the caller's fault."""
        handling, self._handling = self._handling, None
        if handling is not None:
            report_failure(handling, error)
        code = code_of(error)
        if code is None:
            return True
        self.attributes[attr.RPC_RESPONSE_STATUS_CODE] = str(code)
        return code not in CALLER_FAULTS

    def conclude(self) -> None:
        """Record what is known of the connection; the handler is done, whatever it did."""
        super().conclude()
        handling, self._handling = self._handling, None
        if handling is not None:
            report(handling, handling.end)

    def _pass_on(self, outcome: Any) -> None:
        """Report what the handler has returned."""
        handling, self._handling = self._handling, None
        if handling is not None:
            report(handling, lambda: handling.returned(outcome))


def _is_dict(message: Message) -> bool:
    return isinstance(message.params, Mapping)


def current() -> Any:
    """Return the message that the current context sends or handles, in progress; else None."""
    found = _CURRENT.get()
    operation = found() if found is not None else None
    return operation if operation is not None and not operation.ended else None
