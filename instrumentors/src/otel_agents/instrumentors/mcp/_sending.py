"""Requests and notifications that this process sends, as a client or as a server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import nullcontext
from typing import Any, Final

from opentelemetry.context import Context, get_current
from opentelemetry.trace import INVALID_SPAN

from otel_agents.instrumentors._core.calls.around import wrapped
from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.watching import within
from otel_agents.instrumentors._core.context.scope import scope_of
from otel_agents.instrumentors._core.operations import ExecuteTool
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.fields import as_mapping
from otel_agents.semconv import attributes as attr

from ._messages import FREQUENT, Message, is_from_library
from ._meta import Carrier, carrier_of, params_with, request_with, unsampled
from ._native import is_preferred, is_sent_by_fastmcp
from ._requests import SentMessage, current

__all__ = ["direct", "injected", "native_span", "notification", "notified", "request", "sent"]

_PARAMS: Final = 1
"""The position of ``params`` in the methods of mcp 2."""

_OPTIONS: Final = 2
"""The position of ``opts`` in the methods of mcp 2."""
_PROGRESS: Final = 4
"""The position of ``progress_callback`` in ``send_request`` of mcp 1."""

_Arguments = tuple[tuple[Any, ...], dict[str, Any]]


def request(telemetry: Telemetry, call: Call) -> SentMessage | None:
    """Start ``BaseSession.send_request(request, …)`` of mcp 1."""
    if is_sent_by_fastmcp(telemetry):
        return None
    session, message = call.instance, call.argument(0, "request")
    operation = _sent(telemetry, Message.of(message), session)
    operation.attributes[attr.JSONRPC_REQUEST_ID] = str(session._request_id)
    callback = call.argument(_PROGRESS, "progress_callback")
    if callback is not None:
        carried = _carried(telemetry, callback, operation)
        _replace(call, _PROGRESS, "progress_callback", carried)
    carrier, original = _carrier(operation), (call.args, call.kwargs)
    if carrier:
        _replace(call, 0, "request", request_with(message, carrier))
        _send_again_if_rejected(call, operation, original)
    return operation


def notification(telemetry: Telemetry, call: Call) -> SentMessage:
    """Start ``BaseSession.send_notification(notification, …)`` of mcp 1."""
    message = call.argument(0, "notification")
    operation = _sent(telemetry, Message.of(message), call.instance)
    carrier = _carrier(operation) if operation.connection.accepts else {}
    if carrier:
        _replace(call, 0, "notification", request_with(message, carrier))
    return operation


def sent(telemetry: Telemetry, call: Call) -> SentMessage | None:
    """Start ``JSONRPCDispatcher.send_raw_request(method, params, …)``, which injects by itself."""
    if is_preferred(telemetry):
        return None
    operation = _dispatched(telemetry, call)
    if operation.propagates:
        _send_again_if_rejected(call, operation, (call.args, call.kwargs))
    return operation


def direct(telemetry: Telemetry, call: Call) -> SentMessage | None:
    """Start ``DirectDispatcher.send_raw_request(method, params, …)``: in memory, as a call."""
    if is_preferred(telemetry):
        return None
    operation = _dispatched(telemetry, call)
    original = (call.args, call.kwargs)
    if _carry(call, operation):
        _send_again_if_rejected(call, operation, original)
    return operation


def notified(telemetry: Telemetry, call: Call) -> SentMessage | None:
    """Start ``notify(method, params, …)`` of a dispatcher of mcp 2."""
    if is_preferred(telemetry):
        return None
    message = Message(call.argument(0, "method"), call.argument(_PARAMS, "params"))
    operation = _sent(telemetry, message, call.instance)
    if operation.connection.accepts:
        _carry(call, operation)
    return operation


def injected(telemetry: Telemetry, call: Call) -> Any:
    """Replace ``inject_trace_context(meta)``, which may raise what a propagator raises."""
    operation = current()
    if not isinstance(operation, SentMessage):
        return call.proceed()
    meta: dict[str, Any] = call.argument(0, "meta")
    meta.update(_carrier(operation))
    return None


def native_span(telemetry: Telemetry, call: Call) -> Any:
    """Replace ``otel_span(name, kind=, attributes=, …)``: ours has the id of the request."""
    if is_preferred(telemetry):
        return call.proceed()
    operation, attributes = current(), as_mapping(call.kwargs.get("attributes"))
    request_id = attributes.get(attr.JSONRPC_REQUEST_ID)
    if isinstance(operation, SentMessage) and request_id is not None:
        operation.attributes[attr.JSONRPC_REQUEST_ID] = request_id
    return nullcontext(INVALID_SPAN)


def _dispatched(telemetry: Telemetry, call: Call) -> SentMessage:
    message = Message(call.argument(0, "method"), call.argument(_PARAMS, "params"))
    operation = _sent(telemetry, message, call.instance)
    options = as_mapping(call.argument(_OPTIONS, "opts"))
    if options.get("on_progress") is not None:
        carried = _carried(telemetry, options["on_progress"], operation)
        _replace(call, _OPTIONS, "opts", {**options, "on_progress": carried})
    return operation


def _carried(telemetry: Telemetry, callback: Any, operation: SentMessage) -> Any:
    """Return a callback that runs in the context of the request, not in that of the session."""

    def context_of(telemetry: Telemetry, call: Call) -> Context:
        return operation.context

    return wrapped(callback, telemetry, within(context_of))


def _sent(telemetry: Telemetry, message: Message, owner: object) -> SentMessage:
    scope = scope_of(get_current())
    tool = scope.tool
    is_its_call = tool is not None and message.tool is not None and tool.is_call_of(message.tool)
    if tool is not None and is_its_call and not tool.enriched:
        operation = tool.operation
        if isinstance(operation, ExecuteTool) and not operation.ended:
            tool.enriched = True
            return SentMessage(telemetry, message, owner, has_span=False, tool=operation)
    is_part = tool is not None or scope.agent is not None
    hidden = (
        message.method in FREQUENT
        or (is_part and is_from_library(message.method))
        or (is_its_call and message.continues)
    )
    operation = SentMessage(telemetry, message, owner, has_span=not hidden)
    operation.is_silent = tool is not None and is_from_library(message.method)
    return operation


def _carrier(operation: SentMessage) -> Carrier:
    if not operation.propagates:
        return {}
    context = operation.context
    return carrier_of(unsampled(context) if operation.is_silent else context)


def _carry(call: Call, operation: SentMessage) -> bool:
    """Put the trace context into the parameters; return whether there is one."""
    carrier = _carrier(operation)
    if carrier:
        params = call.argument(_PARAMS, "params")
        _replace(call, _PARAMS, "params", params_with(params, carrier))
    return bool(carrier)


def _replace(call: Call, position: int, name: str, value: Any) -> None:
    if len(call.args) > position:
        call.args = (*call.args[:position], value, *call.args[position + 1 :])
    else:
        call.kwargs = {**call.kwargs, name: value}


def _send_again_if_rejected(call: Call, operation: SentMessage, original: _Arguments) -> None:
    """Send the request with its ``original`` arguments if the peer may have rejected ours."""
    function: Callable[..., Awaitable[Any]] = call.function
    connection = operation.connection

    async def send(instance: Any, *args: Any, **kwargs: Any) -> Any:
        try:
            result = await function(instance, *args, **kwargs)
        except Exception as error:
            if not connection.may_have_rejected(operation.message.method, error):
                raise
        else:
            connection.accepts = True
            return result
        operation.propagates = False
        connection.accepts = True  # unless the peer accepts the request without ours
        result = await function(instance, *original[0], **original[1])
        connection.accepts = False
        return result

    call.function = send
