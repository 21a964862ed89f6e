"""Transcription and speech."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, Part, WireFormat
from otel_agents.instrumentors._dialects.fields import Body, field, text
from otel_agents.instrumentors._dialects.parts import message, text_part
from otel_agents.semconv.values import Modality, Operation, OutputType

from .parts import content_parts, file_part
from .requests import inference_attributes
from .response_fields import response_fields

__all__ = ["SPEECH", "TRANSCRIPTION"]

_AUDIO: Final = Modality.AUDIO.value


def _record_transcription(content: Content, body: Body) -> None:
    content.input_messages = lambda: [message("user", parts)] if (parts := _uploaded(body)) else []


def _uploaded(body: Body) -> list[Part]:
    """Return the audio: by URL, by the id of an upload, or as a placeholder of bytes."""
    url, file_id, file = text(body, "file_url"), text(body, "file_id"), body.get("file")
    if url:
        return [media.part_from_url(url, _AUDIO)]
    if file_id:
        return [file_part(file_id, Modality.AUDIO)]
    data = field(file, "content")
    if not isinstance(data, bytes):  # a file object, which only the SDK may read
        return []
    return [media.part_from_bytes(data, text(file, "content_type"), _AUDIO)]


def _transcript_messages(response: Any) -> list[Message]:
    transcript = text(response, "text")
    return [message("assistant", [text_part(transcript)])] if transcript else []


def _record_speech(content: Content, body: Body) -> None:
    content.input_messages = lambda: [message("user", content_parts(body.get("input")))]


def _speech_messages(response: Any) -> list[Message]:
    data = text(response, "audio_data")
    parts = [media.part_from_base64(data, None, _AUDIO)] if data else []
    return [message("assistant", parts)] if parts else []


class _Accumulator:
    """Accumulates deltas of text or audio; the last event has the usage, and maybe the whole text.

    Args:
        output_messages: Converts a whole response.
        delta: The field of an event with a delta.
        join: Joins the deltas.
        content: Whether to accumulate content too.
    """

    def __init__(
        self,
        output_messages: Callable[[Any], list[Message]],
        delta: str,
        join: Callable[[list[str]], str],
        *,
        content: bool,
    ) -> None:
        self._output_messages = output_messages
        self._delta = delta
        self._join = join
        self._content = content
        self._deltas: list[str] = []
        self._response: dict[str, Any] | None = None
        self.finished = False

    def add(self, chunk: Any) -> None:
        """Add one event."""
        data = field(chunk, "data") or chunk
        kind = text(data, "type") or ""
        self._response = self._response or {}
        if kind.endswith(".delta"):
            if self._content:
                self._deltas.append(text(data, self._delta) or "")
        elif kind.endswith(".done"):
            self._response = {"model": text(data, "model"), "usage": field(data, "usage")}
            self.finished = True

    def response(self) -> dict[str, Any] | None:
        """Return the response so far; None before the first event."""
        if self._response is None:
            return None
        return {**self._response, self._delta: self._join(self._deltas)}

    def messages(self) -> list[Message]:
        """Return the output so far; the finish reason of one that broke off is ``error``."""
        messages = self._output_messages(self.response())
        return messages if self.finished else [{**it, "finish_reason": "error"} for it in messages]


def _join_base64(deltas: list[str]) -> str:
    """Join base64 texts, each of which may end with padding."""
    try:
        return base64.b64encode(b"".join(map(base64.b64decode, deltas))).decode()
    except (binascii.Error, ValueError):
        return "".join(deltas)


def _accumulate_text(*, content: bool) -> _Accumulator:
    return _Accumulator(_transcript_messages, "text", "".join, content=content)


def _accumulate_audio(*, content: bool) -> _Accumulator:
    return _Accumulator(_speech_messages, "audio_data", _join_base64, content=content)


TRANSCRIPTION: Final = WireFormat(
    operation=Operation.GENERATE_CONTENT,
    request_attributes=inference_attributes,
    record_request=_record_transcription,
    output_messages=_transcript_messages,
    response_fields=response_fields,
    accumulator=_accumulate_text,
    output_type=OutputType.TEXT,
)
SPEECH: Final = WireFormat(
    operation=Operation.GENERATE_CONTENT,
    request_attributes=inference_attributes,
    record_request=_record_speech,
    output_messages=_speech_messages,
    response_fields=response_fields,
    accumulator=_accumulate_audio,
    output_type=OutputType.SPEECH,
)
