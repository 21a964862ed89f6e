"""Audio: `POST /audio/speech`, `/audio/transcriptions` and `/audio/translations`."""

from __future__ import annotations

import base64
from dataclasses import replace
from types import MappingProxyType

from otel_agents.testing.scripted_model.chunks import chunks
from otel_agents.testing.scripted_model.dialect import (
    Exchange,
    Frame,
    ParsedRequest,
    Reply,
    body_reply,
    sse,
    stream_reply,
)
from otel_agents.testing.scripted_model.reactions import Usage
from otel_agents.testing.scripted_model.values import Json

_SPEECH = b"ID3\x04\x00\x00\x00\x00\x00\x00scripted speech"
_SPEECH_TYPES = MappingProxyType(
    {"wav": "audio/wav", "opus": "audio/ogg", "flac": "audio/flac", "aac": "audio/aac"}
)
_SECONDS = 3.0  # the duration of any upload
_PLAIN = ("text", "srt", "vtt")


def read_speech(body: Json) -> ParsedRequest:
    """Parse a request for speech."""
    return ParsedRequest(prompt=str(body.get("input") or ""))


def read_upload(body: Json) -> ParsedRequest:
    """Parse an upload and its prompt."""
    return ParsedRequest(prompt=str(body.get("prompt") or ""))


def write_speech(exchange: Exchange) -> Reply:
    """Return the spoken bytes, or events that carry them; only the events report usage."""
    scripted, body = exchange.response, exchange.request.body
    spoken = scripted.audio or _SPEECH
    response_id = exchange.numbers.id("speech-")
    if body.get("stream_format") != "sse":
        content_type = _SPEECH_TYPES.get(str(body.get("response_format")), "audio/mpeg")
        return Reply(spoken, None, None, response_id, content_type, headers=scripted.headers)
    usage = _usage(exchange, spoken=True)
    half = (len(spoken) + 1) // 2
    deltas = [base64.b64encode(part).decode() for part in (spoken[:half], spoken[half:])]
    frames = [sse({"type": "speech.audio.delta", "audio": delta}) for delta in deltas]
    done: Json = {"type": "speech.audio.done"}
    if usage:
        done["usage"] = _counts(usage)
    frames.append(sse(done, has_usage=usage is not None))
    return stream_reply(exchange, frames, usage, response_id)


def write_transcription(exchange: Exchange) -> Reply:
    """Return the text of an upload in the requested format; whisper bills seconds, not tokens."""
    scripted, request = exchange.response, exchange.request
    response_id = exchange.numbers.id("transcription-")
    by_seconds = request.model.startswith("whisper")
    usage = None if by_seconds else _usage(exchange, spoken=False)
    reported: Json = {"type": "duration", "seconds": _SECONDS} if by_seconds else {}
    if usage:
        reported = _token_counts(usage)
    text = scripted.content or ""
    if request.stream:
        frames = [sse({"type": "transcript.text.delta", "delta": it}) for it in chunks(text)]
        done: Json = {"type": "transcript.text.done", "text": text}
        frames.append(sse({**done, "usage": reported} if reported else done, has_usage=bool(usage)))
        frames.append(Frame(b"data: [DONE]\n\n"))
        return stream_reply(exchange, frames, usage, response_id)
    return _written(exchange, response_id, usage, {"usage": reported} if reported else {})


def write_translation(exchange: Exchange) -> Reply:
    """Return the English text of an upload; the API reports no usage."""
    return _written(exchange, exchange.numbers.id("translation-"), None, {})


def _written(exchange: Exchange, response_id: str, usage: Usage | None, reported: Json) -> Reply:
    scripted, response_format = exchange.response, exchange.request.body.get("response_format")
    text = scripted.content or ""
    if response_format in _PLAIN:
        plain = f"{text}\n".encode()
        return Reply(plain, None, None, response_id, "text/plain", headers=scripted.headers)
    payload: Json = {"text": text, **reported, **scripted.extra}
    if response_format == "verbose_json":
        payload |= {"language": "english", "duration": _SECONDS, "segments": []}
    return body_reply(exchange, payload, usage, response_id)


def _usage(exchange: Exchange, *, spoken: bool) -> Usage | None:
    """Return the scripted usage, else audio tokens on the side that has the audio."""
    if not exchange.response.include_usage:
        return None
    if exchange.response.usage is not None:
        return exchange.response.usage
    issued = replace(exchange.usage, cached_tokens=0, reasoning_tokens=0)
    if spoken:
        return replace(issued, output_audio_tokens=issued.output_tokens)
    return replace(issued, input_audio_tokens=issued.input_tokens)


def _counts(usage: Usage) -> Json:
    return {
        "input_tokens": usage.input_tokens,
        "output_tokens": usage.output_tokens,
        "total_tokens": usage.total_tokens,
    }


def _token_counts(usage: Usage) -> Json:
    details = {"audio_tokens": usage.input_audio_tokens, "text_tokens": usage.input_text_tokens}
    return {"type": "tokens", **_counts(usage), "input_token_details": details}
