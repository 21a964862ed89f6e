"""What a server requests of the client: a response of its model, an input of its human."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from opentelemetry.context import Context, get_current

from otel_agents.instrumentors._core.calls.call import Call
from otel_agents.instrumentors._core.calls.reporting import CallObserver
from otel_agents.instrumentors._core.operations import Step
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors._dialects.api import Message as ModelMessage
from otel_agents.instrumentors._dialects.api import ResponseFields
from otel_agents.instrumentors._dialects.fields import (
    as_mapping,
    field,
    listed,
    plain,
    text,
    without_none,
)
from otel_agents.instrumentors._dialects.framework_call import FrameworkCall
from otel_agents.semconv.values import McpMethod, Operation

from ._messages import Message

__all__ = ["callback_of", "input_request"]

_HUMAN_INPUT: Final = "human_input"
_REASONS: Final = MappingProxyType(
    {"endTurn": "stop", "stopSequence": "stop", "maxTokens": "length", "toolUse": "tool_calls"}
)
_SETTINGS: Final = MappingProxyType(
    {"temperature": "temperature", "maxTokens": "max_tokens", "stopSequences": "stop"}
)


class _Sampling(FrameworkCall):
    """A call of the client's model: reported here if no SDK below takes it.

    What the callback returns is the evidence: it names the model. One that refuses, or raises, has
    called none as far as is known.
    """

    def __init__(self, telemetry: Telemetry, params: Any, parent: Context) -> None:
        known = _fields(params)
        settings = {ours: known[name] for name, ours in _SETTINGS.items() if name in known}
        super().__init__(
            telemetry,
            settings,
            operation=Operation.CHAT,
            record_request=partial(_record_request, known),
            parent=parent,
        )

    def error_to_report(self, value: Any, error: BaseException | None) -> BaseException | None:
        """Report nothing without a response of a model."""
        if not text(value, "model"):
            self.nothing_sent()
        return error

    def response_fields(self, response: Any) -> ResponseFields:
        """Return the model and why it stopped; nothing says how many tokens it used."""
        known = _fields(response)
        reason = known.get("stopReason")
        reasons = (_REASONS.get(reason, reason),) if isinstance(reason, str) else ()
        return ResponseFields(model=text(known, "model"), finish_reasons=reasons)

    def output_messages(self, response: Any) -> list[ModelMessage]:
        """Return the message that the server gets."""
        return [_model_message(_fields(response))]


class _Elicitation(Step):
    """An input of the human at the client, or a refusal."""

    __slots__ = ()

    def respond(self, value: Any) -> None:
        """Record whether the human accepted; the input itself is in no attribute."""
        action = text(value, "action")
        if action:
            self.set_outcome(action)


def callback_of(telemetry: Telemetry, message: Message, parent: Context) -> CallObserver | None:
    """Start what the client's callback does for ``message``; None for other requests."""
    if message.method == McpMethod.SAMPLING_CREATE_MESSAGE.value:
        return _Sampling(telemetry, message.params, parent)
    if message.method == McpMethod.ELICITATION_CREATE.value:
        return _Elicitation(telemetry, _HUMAN_INPUT, parent=parent)
    return None


def input_request(telemetry: Telemetry, call: Call) -> CallObserver | None:
    """Start ``ClientSession.dispatch_input_request(context, request)`` of mcp 2."""
    return callback_of(telemetry, Message.of(call.argument(1, "request")), get_current())


def _fields(value: Any) -> Mapping[str, Any]:
    """Return the fields by the names that the protocol gives them."""
    dump = getattr(value, "model_dump", None)
    known = dump(by_alias=True, mode="json", exclude_none=True) if dump is not None else value
    return as_mapping(known)


def _record_request(known: Mapping[str, Any], content: Content) -> None:
    content.input_messages = [_model_message(one) for one in listed(known.get("messages"))]
    prompt = text(known, "systemPrompt")
    if prompt:
        content.system_instructions = [{"type": "text", "content": prompt}]


def _model_message(message: Any) -> ModelMessage:
    blocks = field(message, "content")
    parts = [_part(block) for block in (listed(blocks) or [blocks])]
    return {"role": text(message, "role") or "assistant", "parts": parts}


def _part(block: Any) -> dict[str, Any]:
    kind = text(block, "type") or "text"
    if kind == "text":
        return {"type": "text", "content": text(block, "text") or ""}
    if kind in ("image", "audio"):
        mime, data = text(block, "mimeType"), text(block, "data")
        return without_none(
            {"type": "blob", "modality": kind, "mime_type": mime, "content": data or ""}
        )
    if kind == "tool_use":
        names = {"id": text(block, "id"), "name": text(block, "name") or ""}
        return without_none({"type": "tool_call", **names, "arguments": field(block, "input")})
    if kind == "tool_result":
        response = plain(field(block, "content"))
        call_id = text(block, "toolUseId")
        return without_none({"type": "tool_call_response", "id": call_id, "response": response})
    return {"type": kind}
