"""What Groq adds to OpenAI's format: error codes, tools that ran, citations, audio by URL.

What its chunks have in ``x_groq``, any SDK may read.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part
from otel_agents.instrumentors._dialects.error_codes import code_in
from otel_agents.instrumentors._dialects.fields import (
    Body,
    as_mapping,
    field,
    fields_of,
    items,
    listed,
    parsed_arguments,
    plain,
    text,
    without_none,
)
from otel_agents.instrumentors._dialects.parts import message
from otel_agents.instrumentors._dialects.unparsed import unparsed_response
from otel_agents.semconv.values import Modality

from . import generation
from .api import OpenAIApi
from .apis import APIS as OPENAI_APIS
from .chat import CHAT, CHOICES, Accumulator, record_tools
from .parts import text_parts

__all__ = ["APIS", "Generation", "error_code"]

_PREFIX: Final = "/openai/v1"
_CODES: Final = ("code", "type")
_RESULTS: Final = ("output", "search_results", "code_results", "browser_results")


def error_code(error: BaseException) -> str | None:
    """Return the code in the body of an error, such as ``rate_limit_exceeded``, else its type."""
    if unparsed_response(error) is not None:
        return None
    return code_in(getattr(error, "body", None), *_CODES)


class Generation(generation.Generation):
    """An inference of any of Groq's APIs."""

    __slots__ = ()

    def error_code(self, error: BaseException) -> str | None:
        """Return the code in the body of an error."""
        return error_code(error)

    def stream_error(self, event: Mapping[str, Any]) -> str:
        """Return the code of a stream's event that holds an error."""
        return code_in(event, *_CODES) or "groq.APIError"


def _record_chat(content: Content, body: Body) -> None:
    CHAT.record_request(content, body)
    custom = body.get("compound_custom")
    if not custom:
        return
    enabled = items(as_mapping(custom).get("tools"), "enabled_tools")
    if enabled:
        named = [{"type": name} for name in enabled]
        record_tools(content, [*items(body, "tools"), *named])


def _record_audio(content: Content, body: Body) -> None:
    """Set the prompt, which guides the style, and the URL; an uploaded file is not recorded."""
    parts, url = text_parts(text(body, "prompt")), text(body, "url")
    if url is not None:
        parts.append(media.part_from_url(url, Modality.AUDIO.value))
    content.input_messages = [message("user", parts)] if parts else []


def _chat_messages(response: Any) -> list[Message]:
    messages = CHAT.output_messages(response)
    for converted, choice in zip(messages, items(response, "choices"), strict=True):
        sent = fields_of(fields_of(choice).get("message"))
        tools, annotations = sent.get("executed_tools"), sent.get("annotations")
        if tools or annotations:
            _extend(converted["parts"], listed(tools), listed(annotations))
    return messages


def _chat_output(response: Any) -> Any:
    """Return the messages as content: as OpenAI's, unless Groq has added to one."""
    for choice in items(response, "choices"):
        sent = fields_of(fields_of(choice).get("message"))
        if sent.get("executed_tools") or sent.get("annotations"):
            return _chat_messages(response)
    return CHOICES.output(response)


def _extend(parts: list[Part], tools: Iterable[Any], annotations: Iterable[Any]) -> None:
    """Insert the tools that Groq ran, after the reasoning, and add citations to the text."""
    citations = [plain(annotation) for annotation in annotations]
    for part in parts if citations else ():
        if part["type"] == "text":
            part["citations"] = citations
    position = sum(part["type"] == "reasoning" for part in parts)
    parts[position:position] = [part for tool in tools for part in _executed(plain(tool))]


def _executed(tool: Body) -> list[Part]:
    """Return a tool's call, and its result once it has one; its index is its only id."""
    kind, call_id = str(tool.get("type")), str(tool.get("index", 0))
    call = {"type": kind, "arguments": parsed_arguments(tool.get("arguments"))}
    results = {name: tool[name] for name in _RESULTS if tool.get(name) is not None}
    parts: list[Part] = [
        {
            "type": "server_tool_call",
            "id": call_id,
            "name": tool.get("name") or kind,
            "server_tool_call": without_none(call),
        }
    ]
    if results:
        if "code_results" in results:
            results["code_results"] = [_without_image(one) for one in results["code_results"]]
        response = {"type": kind, **results}
        parts.append(
            {
                "type": "server_tool_call_response",
                "id": call_id,
                "server_tool_call_response": response,
            }
        )
    return parts


def _without_image(result: Body) -> dict[str, Any]:
    png = text(result, "png")
    if png is None:
        return {**result}
    return {**result, "png": media.part_from_base64(png, "image/png", Modality.IMAGE.value)}


class _Accumulator(Accumulator):
    """Accumulates a stream in which a tool comes twice: as it is called, and with its result."""

    def __init__(self) -> None:
        super().__init__()
        self._tools: dict[int, dict[int, dict[str, Any]]] = {}
        self._annotations: dict[int, list[Any]] = {}

    def add(self, chunk: Any) -> None:
        """Add one chunk."""
        super().add(chunk)
        for choice in items(chunk, "choices"):
            index, delta = field(choice, "index") or 0, field(choice, "delta")
            for tool in items(delta, "executed_tools"):
                tools = self._tools.setdefault(index, {})
                known = tools.setdefault(field(tool, "index") or 0, {})
                known.update(without_none({**plain(tool)}))
            annotations = items(delta, "annotations")
            if annotations:
                self._annotations.setdefault(index, []).extend(annotations)

    def messages(self) -> list[Message]:
        """Return one message per choice."""
        messages = super().messages()
        for converted, index in zip(messages, sorted(self.choices), strict=True):
            tools, annotations = self._tools.get(index, {}), self._annotations.get(index, ())
            _extend(converted["parts"], tools.values(), annotations)
        return messages


def _audio(path: str) -> OpenAIApi:
    return dataclasses.replace(OPENAI_APIS[path], record_request=_record_audio)


APIS: Final = MappingProxyType(
    {
        f"{_PREFIX}/chat/completions": dataclasses.replace(
            CHAT,
            record_request=_record_chat,
            output_messages=_chat_messages,
            output=_chat_output,
            accumulator=_Accumulator,
        ),
        f"{_PREFIX}/responses": OPENAI_APIS["/responses"],
        f"{_PREFIX}/audio/speech": OPENAI_APIS["/audio/speech"],
        f"{_PREFIX}/audio/transcriptions": _audio("/audio/transcriptions"),
        f"{_PREFIX}/audio/translations": _audio("/audio/translations"),
    }
)
"""By request path below the base URL."""
