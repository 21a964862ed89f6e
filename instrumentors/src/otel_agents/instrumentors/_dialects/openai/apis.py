"""The APIs of OpenAI that generate: by the path of a request; those that have no module of their own."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any, Final

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors._core.telemetry.content import Content
from otel_agents.instrumentors._dialects.api import Api, Message
from otel_agents.instrumentors._dialects.fields import Body, items, text
from otel_agents.instrumentors._dialects.parts import as_text, message, text_part
from otel_agents.semconv.values import FinishReason, Modality, Operation, OutputType

from .chat import CHAT
from .completions import COMPLETIONS, prompt_messages, text_messages
from .responses import RESPONSES, instruction_parts, output_messages

__all__ = ["APIS"]


def _ask_image(content: Content, body: Body) -> None:
    content.input_messages = lambda: prompt_messages(body.get("prompt"))


def _ask_speech(content: Content, body: Body) -> None:
    content.input_messages = lambda: prompt_messages(body.get("input"))
    if body.get("instructions"):
        content.system_instructions = lambda: instruction_parts(body["instructions"])


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
    return text_messages([{"text": said}] if said else [])


def _no_output(response: Any) -> list[Message]:
    return []


def _no_reasons(response: Any) -> tuple[str, ...]:
    return ()


def _compaction_output(response: Any) -> list[Message]:
    """What stands for the conversation from now on, without the messages of it that are kept."""
    made = [item for item in items(response, "output") if text(item, "type") == _COMPACTION]
    return output_messages(made, (_COMPACTION,))


def _compaction_reasons(response: Any) -> tuple[str, ...]:
    return (_COMPACTION,)


_COMPACTION: Final = FinishReason.COMPACTION.value


def _decisions_output(response: Any) -> list[Message]:
    """One text, of JSON, for each question."""
    parts = [text_part(as_text(_told(answer))) for answer in items(response, "answers")]
    return [message("assistant", parts)] if parts else []


def _told(answer: Any) -> Any:
    dump = getattr(answer, "model_dump", None)
    return dump(mode="json", exclude_none=True) if dump is not None else answer


class _TranscriptAccumulator:
    """Gathers the pieces of a transcript."""

    def __init__(self) -> None:
        self._pieces: list[str] = []

    def add(self, chunk: Any) -> None:
        """Take one event in."""
        if text(chunk, "type") == "transcript.text.delta":
            self._pieces.append(text(chunk, "delta") or "")

    def messages(self) -> list[Message]:
        """The transcript so far."""
        return text_messages([{"text": "".join(self._pieces)}] if self._pieces else [])


_IMAGES: Final = Api(
    Operation.GENERATE_CONTENT,
    _ask_image,
    _images_output,
    _no_reasons,
    _TranscriptAccumulator,
    output_type=OutputType.IMAGE,
)
_SPEECH: Final = Api(
    Operation.GENERATE_CONTENT,
    _ask_speech,
    _no_output,
    _no_reasons,
    _TranscriptAccumulator,
    output_type=OutputType.SPEECH,
)
_TRANSCRIPTS: Final = Api(
    Operation.GENERATE_CONTENT,
    _ask_image,  # a transcription's prompt guides its style; the audio itself is not read
    _transcript_output,
    _no_reasons,
    _TranscriptAccumulator,
    output_type=OutputType.TEXT,
)

_COMPACTIONS: Final = Api(
    Operation.CHAT,
    RESPONSES.record_request,
    _compaction_output,
    _compaction_reasons,
    RESPONSES.accumulator,
    type=RESPONSES.type,
)
_DECISIONS: Final = Api(
    Operation.GENERATE_CONTENT,
    RESPONSES.record_request,
    _decisions_output,
    _no_reasons,
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
"""By the path of the request, below the base URL."""
