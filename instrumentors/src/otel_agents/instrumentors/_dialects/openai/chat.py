"""The API of chat completions: messages, streams, finish reasons."""

from __future__ import annotations

from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Api, Message
from otel_agents.instrumentors._dialects.fields import Body, field, fields_of, items, text
from otel_agents.instrumentors._dialects.parts import tool_call_response, with_finish_reasons
from otel_agents.semconv.values import OpenAIApiType, Operation

from .parts import message_parts, tool_definitions, tool_response

__all__ = ["CHAT", "ask_tools", "choice_reasons", "input_messages"]

_ANSWERS: Final = ("tool", "function")


def input_messages(messages: Any) -> Items:
    """The messages of a chat request, in the order sent."""
    listed = isinstance(messages, (list, tuple))
    return Items(cast(Any, messages) if listed else list(messages), _message)


def _message(message: Any) -> Message:
    # Nearly every message is a role and a text: written out, since a long history has many.
    if isinstance(message, dict) and len(cast("Message", message)) == 2:
        plain = cast("Message", message)
        role, content = plain.get("role"), plain.get("content")
        if isinstance(content, str) and content and role not in _ANSWERS:
            return {"role": role, "parts": [{"type": "text", "content": content}]}
    return _converted(cast(Any, message))


def _converted(message: Any) -> Message:
    role = text(message, "role") or "assistant"
    if role in _ANSWERS:
        response = tool_response(field(message, "content"))
        return {
            "role": "tool",
            "parts": [tool_call_response(text(message, "tool_call_id"), response)],
        }
    converted: Message = {"role": role, "parts": message_parts(message)}
    name = text(message, "name")
    if name:
        converted["name"] = name
    return converted


def _ask_chat(content: Content, body: Body) -> None:
    content.input_messages = input_messages(body.get("messages") or ())
    ask_tools(content, body.get("tools") or body.get("functions"))


def ask_tools(content: Content, tools: Any) -> None:
    """Set the tools that a request offers, if there are any."""
    if tools:
        content.tool_definitions = lambda: tool_definitions(tools)


def _choices_output(response: Any) -> list[Message]:
    """One message per choice, in the order of the choices."""
    messages = [_message(field(choice, "message")) for choice in items(response, "choices")]
    return with_finish_reasons(messages, choice_reasons(response))


def choice_reasons(response: Any) -> tuple[str, ...]:
    """One finish reason a choice, ``error`` for one that was cut; none where none is told."""
    reasons = [field(choice, "finish_reason") for choice in items(response, "choices")]
    return tuple(reason or "error" for reason in reasons) if any(reasons) else ()


class _Choice:
    """One choice of a stream: lists of pieces, joined at the end."""

    __slots__ = ("calls", "content", "reason", "reasoning", "refusal", "role")

    def __init__(self) -> None:
        self.role = "assistant"
        self.reason = "error"  # as of one that was cut
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: dict[int, dict[str, Any]] = {}

    def add_call(self, delta: Any) -> None:
        """Take a piece of a tool call in."""
        index = field(delta, "index") or 0
        call = self.calls.setdefault(index, {"id": None, "name": "", "arguments": []})
        call["id"] = call["id"] or text(delta, "id")
        function = field(delta, "function")
        call["name"] = call["name"] or text(function, "name") or ""
        piece = text(function, "arguments")
        if piece:
            call["arguments"].append(piece)

    def message(self) -> dict[str, Any]:
        """The message as a finished response would have it."""
        calls = [
            {
                "id": call["id"],
                "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
            }
            for _, call in sorted(self.calls.items())
        ]
        gathered: dict[str, Any] = {"role": self.role, "content": "".join(self.content)}
        for key, pieces in (("reasoning_content", self.reasoning), ("refusal", self.refusal)):
            if pieces:
                gathered[key] = "".join(pieces)
        if calls:
            gathered["tool_calls"] = calls
        return gathered


class _Accumulator:
    """Gathers a stream of chunks."""

    def __init__(self) -> None:
        self._choices: dict[int, _Choice] = {}

    def add(self, chunk: Any) -> None:
        """Take one chunk in; nearly every one holds a piece of content and nothing else."""
        # A hot path: one function for a chunk, its choices and their deltas.
        for choice in fields_of(chunk).get("choices") or ():
            fields = fields_of(choice)
            index, delta = fields.get("index") or 0, fields.get("delta")
            if delta is None:
                continue
            gathered = self._choices.get(index)
            if gathered is None:
                gathered = self._choices[index] = _Choice()
            said = fields_of(delta)
            content = said.get("content")
            if content:
                gathered.content.append(content)
            thought = said.get("reasoning_content") or said.get("reasoning")
            if thought:
                gathered.reasoning.append(thought)
            refusal = said.get("refusal")
            if refusal:
                gathered.refusal.append(refusal)
            gathered.role = said.get("role") or gathered.role
            gathered.reason = fields.get("finish_reason") or gathered.reason
            for call in said.get("tool_calls") or ():
                gathered.add_call(call)

    def messages(self) -> list[Message]:
        """One message per choice that has said something."""
        return [
            {**_message(choice.message()), "finish_reason": choice.reason}
            for _, choice in sorted(self._choices.items())
        ]


CHAT: Final = Api(
    Operation.CHAT,
    _ask_chat,
    _choices_output,
    choice_reasons,
    _Accumulator,
    type=OpenAIApiType.CHAT_COMPLETIONS,
)
