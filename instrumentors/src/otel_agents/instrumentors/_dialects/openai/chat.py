"""The chat completions API: messages, streams, finish reasons."""

from __future__ import annotations

from collections.abc import Mapping
from operator import countOf
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.encoding.encoded import Items
from otel_agents.instrumentors._core.encoding.messages import TextMessage, message_of_text
from otel_agents.instrumentors._core.encoding.plain import kind_of
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message
from otel_agents.instrumentors._dialects.choices import Choices
from otel_agents.instrumentors._dialects.fields import (
    Body,
    field,
    fields_of,
    known_fields,
    listed,
    text,
)
from otel_agents.instrumentors._dialects.parts import tool_call_response
from otel_agents.semconv.values import OpenAIApiType, Operation

from .api import OpenAIApi
from .parts import message_parts, tool_definitions, tool_response

__all__ = [
    "CHAT",
    "CHOICES",
    "Accumulator",
    "choice_finish_reasons",
    "input_messages",
    "record_tools",
]

_TOOL_ROLES: Final = ("tool", "function")
_FIELDS: Final = ("role", "content", "tool_call_id", "name")
_FOUND: Final = ("choices",)
_REASON: Final = ("finish_reason",)
_NONE: Final = MappingProxyType[str, Any]({})


def input_messages(messages: Any) -> Items:
    """Return the messages of a chat request, in the order sent."""
    is_list = isinstance(messages, (list, tuple))
    return Items(cast(Any, messages) if is_list else list(messages), _message, _text_of)


def _text_of(message: Any) -> TextMessage | None:
    # The hot path of every chat: nearly every message is a role and a string, and nothing else.
    if kind_of(message) is dict:
        fields: Mapping[str, Any] = message
    else:
        try:
            fields = _NONE if message.__pydantic_extra__ else message.__dict__
        except AttributeError:  # not of pydantic 2
            return None
    role, content = fields.get("role"), fields.get("content")
    if type(content) is not str or not content or role in _TOOL_ROLES:
        return None
    if role is None or len(fields) != 2:
        others = len(fields) - countOf(fields.values(), None) - 1
        if others != (role is not None) + (fields.get("annotations") is not None):
            return None  # annotations are not recorded
    return role or "assistant", content, None


def _message(message: Any) -> Message:
    text = _text_of(message)
    return _convert(message) if text is None else message_of_text(text)


def _convert(message: Any) -> Message:
    fields = known_fields(message, _FIELDS)
    role = text(fields, "role") or "assistant"
    if role in _TOOL_ROLES:
        response = tool_response(fields.get("content"))
        return {
            "role": "tool",
            "parts": [tool_call_response(text(fields, "tool_call_id"), response)],
        }
    converted: Message = {"role": role, "parts": message_parts(message)}
    name = fields.get("name")
    if name and isinstance(name, str):
        converted["name"] = name
    return converted


def _record_request(content: Content, body: Body) -> None:
    messages: Any = body.get("messages") or ()
    is_list = kind_of(messages) is list  # a hot path: `input_messages`, without its call
    items = Items(messages, _message, _text_of) if is_list else input_messages(messages)
    content.set("input_messages", items)
    tools = body.get("tools") or body.get("functions")
    if tools:
        record_tools(content, tools)


def record_tools(content: Content, tools: Any) -> None:
    """Set the tools of a request, if it has any."""
    if tools:
        content.tool_definitions = lambda: tool_definitions(tools)


CHOICES: Final = Choices(_message, _text_of)
"""The choices of a response."""


def choice_finish_reasons(response: Any) -> tuple[str, ...]:
    """Return one finish reason per choice, ``error`` for one that broke off; none without any."""
    choices: Any = known_fields(response, _FOUND).get("choices")
    if kind_of(choices) is not list:
        choices = listed(choices)
    if len(choices) == 1:  # a hot path: nearly always
        reason = known_fields(choices[0], _REASON).get("finish_reason")
        return (reason,) if reason else ()
    reasons = [field(choice, "finish_reason") for choice in choices]
    return tuple(reason or "error" for reason in reasons) if any(reasons) else ()


class Choice:
    """One choice of a stream: lists of strings, joined at the end."""

    __slots__ = ("calls", "content", "reason", "reasoning", "refusal", "role")

    def __init__(self) -> None:
        self.role = "assistant"
        self.reason = "error"  # until the provider sends one: the stream may break off
        self.content: list[str] = []
        self.reasoning: list[str] = []
        self.refusal: list[str] = []
        self.calls: dict[int, dict[str, Any]] = {}

    def add_call(self, delta: Any) -> None:
        """Add a delta of a tool call."""
        index = field(delta, "index") or 0
        call = self.calls.setdefault(index, {"id": None, "name": "", "arguments": []})
        call["id"] = call["id"] or text(delta, "id")
        function = field(delta, "function")
        call["name"] = call["name"] or text(function, "name") or ""
        arguments = text(function, "arguments")
        if arguments:
            call["arguments"].append(arguments)

    def message(self) -> dict[str, Any]:
        """Return the message in the shape of a whole response."""
        calls = [
            {
                "id": call["id"],
                "function": {"name": call["name"], "arguments": "".join(call["arguments"])},
            }
            for _, call in sorted(self.calls.items())
        ]
        collected: dict[str, Any] = {"role": self.role, "content": "".join(self.content)}
        for key, texts in (("reasoning_content", self.reasoning), ("refusal", self.refusal)):
            if texts:
                collected[key] = "".join(texts)
        if calls:
            collected["tool_calls"] = calls
        return collected


class Accumulator:
    """Accumulates a stream of chunks, by the index of the choice."""

    def __init__(self) -> None:
        self.choices: dict[int, Choice] = {}

    def add(self, chunk: Any) -> None:
        """Add one chunk; nearly every one holds some content and nothing else."""
        # A hot path: one function for a chunk, its choices and their deltas.
        for choice in fields_of(chunk).get("choices") or ():
            fields = fields_of(choice)
            index, delta = fields.get("index") or 0, fields.get("delta")
            if delta is None:
                continue
            collected = self.choices.get(index)
            if collected is None:
                collected = self.choices[index] = Choice()
            delta_fields = fields_of(delta)
            content = delta_fields.get("content")
            if content:
                collected.content.append(content)
            thought = delta_fields.get("reasoning_content") or delta_fields.get("reasoning")
            if thought:
                collected.reasoning.append(thought)
            refusal = delta_fields.get("refusal")
            if refusal:
                collected.refusal.append(refusal)
            collected.role = delta_fields.get("role") or collected.role
            collected.reason = fields.get("finish_reason") or collected.reason
            for call in delta_fields.get("tool_calls") or ():
                collected.add_call(call)

    def messages(self) -> list[Message]:
        """Return one message per choice."""
        return self.output().all()

    def output(self) -> Items:
        """Return the messages as content, which nearly always is one of text."""
        choices = [choice for _, choice in sorted(self.choices.items())]
        return Items(choices, _collected_message, _collected_text)


def _collected_text(choice: Choice) -> TextMessage | None:
    if choice.calls or choice.reasoning or choice.refusal or choice.role in _TOOL_ROLES:
        return None
    text = "".join(choice.content)
    return (choice.role, text, choice.reason) if text else None


def _collected_message(choice: Choice) -> Message:
    return {**_message(choice.message()), "finish_reason": choice.reason}


CHAT: Final = OpenAIApi(
    Operation.CHAT,
    _record_request,
    CHOICES.messages,
    Accumulator,
    finish_reasons=choice_finish_reasons,
    output=CHOICES.output,
    type=OpenAIApiType.CHAT_COMPLETIONS,
)
