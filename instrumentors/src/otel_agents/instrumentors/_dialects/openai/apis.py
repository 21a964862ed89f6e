"""OpenAI's generating APIs by request path, and those that need no module of their own."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Message, no_messages
from otel_agents.instrumentors._dialects.fields import Body, items, plain, text
from otel_agents.instrumentors._dialects.parts import as_text, message, text_part
from otel_agents.semconv.values import FinishReason, Modality, Operation, OutputType

from .api import OpenAIApi
from .chat import CHAT
from .completions import COMPLETIONS, prompt_messages, text_messages
from .responses import RESPONSES, instruction_parts, output_messages

__all__ = ["APIS"]


def _record_prompt(content: Content, body: Body) -> None:
    content.input_messages = lambda: prompt_messages(body.get("prompt"))


def _record_speech_request(content: Content, body: Body) -> None:
    content.input_messages = lambda: prompt_messages(body.get("input"))
    if body.get("instructions"):
        content.system_instructions = lambda: instruction_parts(body["instructions"])


def _image_messages(response: Any) -> list[Message]:
    parts = [_image(image) for image in items(response, "data")]
    return [{"role": "assistant", "parts": parts}] if parts else []


def _image(image: Any) -> dict[str, Any]:
    data, url = text(image, "b64_json"), text(image, "url")
    if data:
        return media.part_from_base64(data, "image/png", Modality.IMAGE.value)
    return media.part_from_url(url or "", Modality.IMAGE.value)


def _transcript_messages(response: Any) -> list[Message]:
    transcript = response if isinstance(response, str) else text(response, "text")
    return text_messages([{"text": transcript}] if transcript else [])


def _compaction_messages(response: Any) -> list[Message]:
    """Return the compaction alone: the other items are messages of the request that are kept."""
    compactions = [item for item in items(response, "output") if text(item, "type") == _COMPACTION]
    return output_messages(compactions, (_COMPACTION,))


def _compaction_reasons(response: Any) -> tuple[str, ...]:
    return (_COMPACTION,)


_COMPACTION: Final = FinishReason.COMPACTION.value


def _decision_messages(response: Any) -> list[Message]:
    """Return one JSON text part per decision."""
    parts = [text_part(as_text(plain(decision))) for decision in items(response, "answers")]
    return [message("assistant", parts)] if parts else []


class _TranscriptAccumulator:
    """Accumulates a transcript."""

    def __init__(self) -> None:
        self._deltas: list[str] = []

    def add(self, chunk: Any) -> None:
        """Add one event."""
        if text(chunk, "type") == "transcript.text.delta":
            self._deltas.append(text(chunk, "delta") or "")

    def messages(self) -> list[Message]:
        """Return the transcript so far."""
        return text_messages([{"text": "".join(self._deltas)}] if self._deltas else [])


_IMAGES: Final = OpenAIApi(
    Operation.GENERATE_CONTENT,
    _record_prompt,
    _image_messages,
    _TranscriptAccumulator,
    output_type=OutputType.IMAGE,
)
_SPEECH: Final = OpenAIApi(
    Operation.GENERATE_CONTENT,
    _record_speech_request,
    no_messages,
    _TranscriptAccumulator,
    output_type=OutputType.SPEECH,
)
_TRANSCRIPTS: Final = OpenAIApi(
    Operation.GENERATE_CONTENT,
    _record_prompt,  # a transcription's prompt guides its style; the audio is not recorded
    _transcript_messages,
    _TranscriptAccumulator,
    output_type=OutputType.TEXT,
)

_COMPACTIONS: Final = OpenAIApi(
    Operation.CHAT,
    RESPONSES.record_request,
    _compaction_messages,
    RESPONSES.accumulator,
    finish_reasons=_compaction_reasons,
    type=RESPONSES.type,
)
_DECISIONS: Final = OpenAIApi(
    Operation.GENERATE_CONTENT,
    RESPONSES.record_request,
    _decision_messages,
    RESPONSES.accumulator,
    output_type=OutputType.JSON,
)

APIS: Final = MappingProxyType(
    {
        "/chat/completions": CHAT,
        "/completions": COMPLETIONS,
        "/responses": RESPONSES,
        "/responses/compact": _COMPACTIONS,
        "/decisions": _DECISIONS,
        "/images/generations": _IMAGES,
        "/images/edits": _IMAGES,
        "/images/variations": _IMAGES,
        "/audio/speech": _SPEECH,
        "/audio/transcriptions": _TRANSCRIPTS,
        "/audio/translations": _TRANSCRIPTS,
    }
)
"""By request path below the base URL."""
