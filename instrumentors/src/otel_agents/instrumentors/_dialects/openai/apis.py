"""The APIs of OpenAI that generate: what each puts into a request and takes from a response."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Api, Message
from otel_agents.instrumentors._dialects.fields import Body, as_mapping, field, items, text
from otel_agents.semconv.values import Modality, OpenAIApiType, Operation, OutputType

from .assembly import ChatAssembly, CompletionAssembly, ResponseAssembly, TextAssembly
from .messages import (
    completion_input,
    completion_output,
    input_messages,
    output_messages,
    tool_definitions,
)
from .response_items import response_input, response_instructions, response_output

__all__ = ["APIS", "CHAT", "COMPLETIONS", "RESPONSES", "response_finish_reasons"]


def _ask_chat(content: Content, body: Body) -> None:
    content.input_messages = lambda: input_messages(body.get("messages") or ())
    _offer_tools(content, body.get("tools") or body.get("functions"))


def _ask_completion(content: Content, body: Body) -> None:
    content.input_messages = lambda: completion_input(body.get("prompt"))


def _ask_response(content: Content, body: Body) -> None:
    content.input_messages = lambda: response_input(body.get("input"))
    if body.get("instructions"):
        content.system_instructions = lambda: response_instructions(body["instructions"])
    variables = as_mapping(as_mapping(body.get("prompt")).get("variables"))
    if variables:
        content.prompt_variables = variables
    _offer_tools(content, body.get("tools"))


def _ask_image(content: Content, body: Body) -> None:
    content.input_messages = lambda: completion_input(body.get("prompt"))


def _ask_speech(content: Content, body: Body) -> None:
    content.input_messages = lambda: completion_input(body.get("input"))
    if body.get("instructions"):
        content.system_instructions = lambda: response_instructions(body["instructions"])


def _offer_tools(content: Content, tools: Any) -> None:
    if tools:
        content.tool_definitions = lambda: tool_definitions(tools)


def _choices_output(response: Any) -> list[Message]:
    return output_messages(items(response, "choices"))


def _texts_output(response: Any) -> list[Message]:
    return completion_output(items(response, "choices"))


def _items_output(response: Any) -> list[Message]:
    return response_output(items(response, "output"))


def _images_output(response: Any) -> list[Message]:
    parts = [_image(image) for image in items(response, "data")]
    return [{"role": "assistant", "parts": parts}] if parts else []


def _image(image: Any) -> dict[str, Any]:
    data, url = text(image, "b64_json"), text(image, "url")
    if data:
        return media.part_from_base64(data, "image/png", Modality.IMAGE.value)
    return media.part_from_url(url or "", Modality.IMAGE.value)


def _transcript_output(response: Any) -> list[Message]:
    said = response if isinstance(response, str) else text(response, "text")
    return completion_output([{"text": said}] if said else [])


def _no_output(response: Any) -> list[Message]:
    return []


def _choice_reasons(response: Any) -> tuple[str, ...]:
    reasons = [field(choice, "finish_reason") for choice in items(response, "choices")]
    return tuple(reason or "error" for reason in reasons) if any(reasons) else ()


def _no_reasons(response: Any) -> tuple[str, ...]:
    return ()


_STATUS_REASONS: Final = {"completed": "stop", "failed": "error", "cancelled": "error"}
_INCOMPLETE_REASONS: Final = {"max_output_tokens": "length"}


def response_finish_reasons(response: Any) -> tuple[str, ...]:
    """The finish reason of a response of the Responses API, which has a status instead.

    The mapping is that of the GenAI semconv, OpenAI "Fetch response"; none while it is in progress.
    """
    status = text(response, "status")
    if status == "incomplete":
        reason = text(field(response, "incomplete_details"), "reason") or "incomplete"
        return (_INCOMPLETE_REASONS.get(reason, reason),)
    if status == "completed" and _calls_tools(items(response, "output")):
        return ("tool_calls",)
    return (_STATUS_REASONS[status],) if status in _STATUS_REASONS else ()


def _calls_tools(output: Iterable[Any]) -> bool:
    return any(text(item, "type") in ("function_call", "custom_tool_call") for item in output)


CHAT: Final = Api(
    Operation.CHAT,
    _ask_chat,
    _choices_output,
    _choice_reasons,
    ChatAssembly,
    type=OpenAIApiType.CHAT_COMPLETIONS,
)
RESPONSES: Final = Api(
    Operation.CHAT,
    _ask_response,
    _items_output,
    response_finish_reasons,
    ResponseAssembly,
    type=OpenAIApiType.RESPONSES,
)
COMPLETIONS: Final = Api(
    Operation.TEXT_COMPLETION, _ask_completion, _texts_output, _choice_reasons, CompletionAssembly
)
_IMAGES: Final = Api(
    Operation.GENERATE_CONTENT,
    _ask_image,
    _images_output,
    _no_reasons,
    TextAssembly,
    output_type=OutputType.IMAGE,
)
_SPEECH: Final = Api(
    Operation.GENERATE_CONTENT,
    _ask_speech,
    _no_output,
    _no_reasons,
    TextAssembly,
    output_type=OutputType.SPEECH,
)
_TRANSCRIPTS: Final = Api(
    Operation.GENERATE_CONTENT,
    _ask_image,  # a transcription's prompt guides its style; the audio itself is not read
    _transcript_output,
    _no_reasons,
    TextAssembly,
    output_type=OutputType.TEXT,
)

APIS: Final = {
    "/chat/completions": CHAT,
    "/completions": COMPLETIONS,
    "/responses": RESPONSES,
    "/images/generations": _IMAGES,
    "/images/edits": _IMAGES,
    "/images/variations": _IMAGES,
    "/audio/speech": _SPEECH,
    "/audio/transcriptions": _TRANSCRIPTS,
    "/audio/translations": _TRANSCRIPTS,
}
"""By the path of the request, below the base URL."""
