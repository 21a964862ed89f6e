"""Audio: `POST /v1/audio/transcriptions` and `/v1/audio/speech`, whole and streamed."""

from __future__ import annotations

import base64

from otel_agents.testing.scripted_model.chunks import chunks
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    ParsedRequest,
    Reply,
    body_reply,
    sse,
    stream_reply,
)
from otel_agents.testing.scripted_model.mistral.shapes import model_name, usage_of
from otel_agents.testing.scripted_model.values import Json

_SPEECH = b"ID3\x04\x00\x00\x00\x00\x00\x00scripted speech"
_SECONDS = 3


def read_transcription(body: Json) -> ParsedRequest:
    """Parse an upload; it has no prompt."""
    return ParsedRequest()


def read_speech(body: Json) -> ParsedRequest:
    """Parse a request for speech."""
    return ParsedRequest(prompt=str(body.get("input") or ""))


def write_transcription(exchange: Exchange) -> Reply:
    """Return the text of an upload, or its deltas."""
    text = exchange.response.content or ""
    whole: Json = {
        "model": model_name(exchange),
        "text": text,
        "language": None,
        "segments": [],
        "usage": {**usage_of(exchange.usage), "prompt_audio_seconds": _SECONDS},
        **exchange.response.extra,
    }
    response_id = exchange.numbers.id("transcription-")
    if not exchange.request.stream:
        return body_reply(exchange, whole, exchange.usage, response_id)
    language = "transcription.language"
    frames = [sse({"type": language, "audio_language": "en"}, name=language)]
    delta = "transcription.text.delta"
    frames += [sse({"type": delta, "text": chunk}, name=delta) for chunk in chunks(text)]
    done = "transcription.done"
    frames.append(sse({"type": done, **whole}, name=done, has_usage=True))
    return stream_reply(exchange, frames, exchange.usage, response_id)


def write_speech(exchange: Exchange) -> Reply:
    """Return the spoken bytes, which report no usage, or events that carry them and do."""
    spoken = base64.b64encode(exchange.response.audio or _SPEECH).decode()
    response_id = exchange.numbers.id("speech-")
    if not exchange.request.stream:
        return body_reply(exchange, {"audio_data": spoken}, None, response_id)
    delta, done = "speech.audio.delta", "speech.audio.done"
    usage = usage_of(exchange.usage)
    frames = [
        sse({"type": delta, "audio_data": spoken}, name=delta),
        sse({"type": done, "usage": usage}, name=done, has_usage=True),
    ]
    return stream_reply(exchange, frames, exchange.usage, response_id)
