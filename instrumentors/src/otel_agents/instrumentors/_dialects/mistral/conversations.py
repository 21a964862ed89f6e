"""Conversations, which the server keeps: entries in, entries and events out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import (
    Message,
    Part,
    ResponseFields,
    Usage,
    WireFormat,
)
from otel_agents.instrumentors._dialects.fields import (
    Body,
    as_mapping,
    field,
    fields_of,
    items,
    parsed_arguments,
    text,
    without_none,
)
from otel_agents.instrumentors._dialects.parts import (
    message,
    text_message,
    tool_call,
    tool_call_response,
)
from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

from .accumulator import joined
from .chat import record_tools
from .parts import content_parts
from .requests import conversation_attributes
from .usage import usage_of

__all__ = ["CONVERSATIONS", "input_messages", "output_messages"]


def _message_parts(entry: Any) -> list[Part]:
    return content_parts(field(entry, "content"))


def _call_parts(entry: Any) -> list[Part]:
    arguments = field(entry, "arguments")
    return [tool_call(text(entry, "tool_call_id"), text(entry, "name"), arguments)]


def _result_parts(entry: Any) -> list[Part]:
    return [tool_call_response(text(entry, "tool_call_id"), field(entry, "result"))]


def _execution_parts(entry: Any) -> list[Part]:
    """Return a call of a tool that the server executed, and what it reports of it."""
    name, call_id = text(entry, "name") or "", text(entry, "id")
    arguments = parsed_arguments(field(entry, "arguments"))
    call: Part = {"type": "server_tool_call", "id": call_id, "name": name}
    call["server_tool_call"] = without_none({"type": name, "arguments": arguments})
    parts = [without_none(call)]
    info = as_mapping(field(entry, "info"))
    if info:
        result = {"type": name, **info}
        response: Part = {"type": "server_tool_call_response", "id": call_id}
        parts.append(without_none({**response, "server_tool_call_response": result}))
    return parts


def _handoff_parts(entry: Any) -> list[Part]:
    names = {key: text(entry, key) for key in ("previous_agent_name", "next_agent_name")}
    return [{"type": "generic", "generic_type": "agent.handoff", **without_none(names)}]


_PARTS: Final[Mapping[str, Callable[[Any], list[Part]]]] = MappingProxyType(
    {
        "message.input": _message_parts,
        "message.output": _message_parts,
        "function.call": _call_parts,
        "function.result": _result_parts,
        "tool.execution": _execution_parts,
        "agent.handoff": _handoff_parts,
    }
)


def _parts(entry: Any) -> list[Part]:
    kind = text(entry, "type") or ("function.result" if field(entry, "result") else "message.input")
    convert = _PARTS.get(kind)
    return convert(entry) if convert is not None else [{"type": "generic", "generic_type": kind}]


def _message(entry: Any) -> Message:
    parts = _parts(entry)
    is_result = bool(parts) and parts[0]["type"] == "tool_call_response"
    return message("tool" if is_result else text(entry, "role") or "assistant", parts)


def input_messages(inputs: Any) -> Items | list[Message]:
    """Return the messages of ``inputs``: a text, or a list of entries."""
    if isinstance(inputs, str):
        return [text_message("user", inputs)]
    is_list = isinstance(inputs, (list, tuple))
    return Items(list(cast("Iterable[Any]", inputs)) if is_list else [], _message)


def output_messages(response: Any) -> list[Message]:
    """Return the entries of a response as one message; an empty list if they have no parts."""
    parts = [part for entry in items(response, "outputs") for part in _parts(entry)]
    return [message("assistant", parts)] if parts else []


def _record_request(content: Content, body: Body) -> None:
    content.input_messages = lambda: input_messages(body.get("inputs"))
    instructions = text(body, "instructions")
    if instructions:
        content.system_instructions = lambda: content_parts(instructions)
    record_tools(content, body)


def _response_fields(response: Any) -> ResponseFields:
    """Read a response. It has no id and no finish reason, and names its model in its entries."""
    named = (text(entry, "model") for entry in items(response, "outputs"))
    conversation = text(response, "conversation_id")
    error = field(response, "error")
    return ResponseFields(
        model=next((model for model in named if model), None),
        usage=_usage_of(field(response, "usage")),
        attributes={attr.GEN_AI_CONVERSATION_ID: conversation} if conversation else {},
        failed=error is not None,
        error_code=error,
    )


def _usage_of(reported: Any) -> Usage | None:
    """Return the usage; what tools of the server have read is billed as input."""
    usage = usage_of(reported)
    connectors = field(reported, "connector_tokens")
    if usage is None or not isinstance(connectors, int):
        return usage
    return usage._replace(input_tokens=(usage.input_tokens or 0) + connectors)


class _Accumulator:
    """Accumulates the events of a conversation into a response.

    Args:
        content: Whether to accumulate content too; id, model and usage always are.
    """

    def __init__(self, *, content: bool = True) -> None:
        self._content = content
        self._head: dict[str, Any] | None = None
        self._entries: dict[int, dict[str, Any]] = {}
        self._deltas: dict[int, list[Any]] = {}
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one event."""
        data = field(chunk, "data") or chunk
        kind = text(data, "type") or ""
        if self._head is None:
            self._head = {}
        if kind == "conversation.response.started":
            self._head["conversation_id"] = text(data, "conversation_id")
        elif kind == "conversation.response.done":
            self._head["usage"] = field(data, "usage")
            self.finished = True
        elif kind == "conversation.response.error":
            code = field(data, "code")
            self._head["error"] = str(code) if code else "_OTHER"
            self.finished = True
        else:
            self._add_entry(data, kind)

    def _add_entry(self, data: Any, kind: str) -> None:
        index, (name, _, _) = field(data, "output_index") or 0, kind.rpartition(".")
        if name not in _DELTA_FIELDS:
            return
        entry = self._entries.setdefault(index, {"type": name})
        if not self._content:
            entry["model"] = entry.get("model") or text(data, "model")
            return
        delta_field = _DELTA_FIELDS[name]
        entry.update({k: v for k, v in fields_of(data).items() if v and k not in _CHANGING})
        delta = field(data, delta_field) if delta_field else None
        if delta:
            self._deltas.setdefault(index, []).append(delta)

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before the first event."""
        if self._head is None:
            return None
        outputs = [self._whole(index, entry) for index, entry in sorted(self._entries.items())]
        return {**self._head, "outputs": outputs}

    def _whole(self, index: int, entry: dict[str, Any]) -> dict[str, Any]:
        delta_field, deltas = _DELTA_FIELDS[entry["type"]], self._deltas.get(index)
        if not delta_field or not deltas:
            return entry
        return {**entry, delta_field: joined(deltas)}

    def messages(self) -> list[Message]:
        """Return the output so far; the finish reason of one that broke off is ``error``."""
        messages = output_messages(self.response())
        return messages if self.finished else [{**it, "finish_reason": "error"} for it in messages]


_DELTA_FIELDS: Final = MappingProxyType(
    {
        "message.output": "content",
        "function.call": "arguments",
        "tool.execution": "arguments",
        "agent.handoff": "",
    }
)
"""The types of entries in a stream, and the field that grows by their events."""
_CHANGING: Final = ("arguments", "content", "content_index", "created_at", "output_index", "type")


CONVERSATIONS: Final = WireFormat(
    operation=Operation.CHAT,
    request_attributes=conversation_attributes,
    record_request=_record_request,
    output_messages=output_messages,
    response_fields=_response_fields,
    accumulator=_Accumulator,
)
