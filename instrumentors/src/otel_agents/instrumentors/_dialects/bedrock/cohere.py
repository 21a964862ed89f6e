"""Cohere's chat: the bodies of Command R and Command R+."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Any, Final, cast

from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, field, items, text
from otel_agents.instrumentors._dialects.parts import (
    message,
    text_message,
    text_part,
    tool_call,
    tool_call_response,
    with_finish_reasons,
)

__all__ = ["Accumulator", "finish_reasons", "output_messages", "record_request"]

_IDS: Final = ("response_id", "generation_id")
_ROLES: Final = MappingProxyType({"CHATBOT": "assistant", "SYSTEM": "system", "TOOL": "tool"})


def record_request(content: Content, body: Body) -> None:
    """Set the content of a request."""
    content.input_messages = lambda: list(_input_messages(body))
    preamble, tools = body.get("preamble"), list(items(body, "tools"))
    if preamble:
        content.system_instructions = lambda: [text_part(preamble)]
    if tools:
        content.tool_definitions = lambda: [
            {"type": "function", "name": text(tool, "name") or ""} for tool in tools
        ]


def _input_messages(body: Body) -> Iterator[Message]:
    for sent in items(body, "chat_history"):
        yield text_message(
            _ROLES.get(text(sent, "role") or "", "user"), text(sent, "message") or ""
        )
    if body.get("message"):
        yield text_message("user", body["message"])
    results = [
        tool_call_response(None, field(result, "outputs")) for result in items(body, "tool_results")
    ]
    if results:
        yield message("tool", results)


def output_messages(response: Any) -> list[Message]:
    """Return the message of a response; an empty list if it has no content."""
    written = text(response, "text")
    output: list[Part] = [text_part(written)] if written else []
    citations = list(items(response, "citations"))
    if citations and output:
        output[0]["citations"] = citations
    for call in items(response, "tool_calls"):
        arguments = field(call, "parameters")
        output.append(tool_call(None, text(call, "name"), arguments, parse=False))
    reasons = finish_reasons(response) or ("error",)  # a stream that broke off has none
    return with_finish_reasons([message("assistant", output)], reasons) if output else []


def finish_reasons(response: Any) -> tuple[str, ...]:
    """Return the ``finish_reason`` in lower case, as a tuple of one or none."""
    reason = text(response, "finish_reason")
    return (reason.lower(),) if reason else ()


class Accumulator:
    """Accumulates the events of a stream; the last one has the whole response.

    Args:
        content: Whether to accumulate the text too.
    """

    def __init__(self, content: bool = True) -> None:
        self._content = content
        self._texts: list[str] = []
        self._fields: dict[str, Any] = {}
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one event."""
        fields = as_mapping(chunk)
        kind = fields.get("event_type")
        if kind == "text-generation" and self._content:
            self._texts.append(text(fields, "text") or "")
        elif kind == "tool-calls-generation" and self._content:
            self._fields["tool_calls"] = fields.get("tool_calls")
        elif kind == "stream-start":
            self._fields["generation_id"] = fields.get("generation_id")
        elif kind == "stream-end":
            self._end(cast("dict[str, Any]", as_mapping(fields.get("response"))), fields)

    def _end(self, response: dict[str, Any], event: Body) -> None:
        self.finished = True
        kept = response if self._content else {k: response[k] for k in _IDS if k in response}
        self._fields.update(kept)
        self._fields["finish_reason"] = event.get("finish_reason")

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before its first event."""
        if not (self._texts or self._fields):
            return None
        return {"text": "".join(self._texts), **self._fields}

    def messages(self) -> list[Message]:
        """Return the output so far."""
        return output_messages(self.response())
