"""What all of Google's endpoints share: usage and errors."""

from __future__ import annotations

from types import MappingProxyType

from otel_agents.testing.scripted_model.dialect import Frame, encode, sse
from otel_agents.testing.scripted_model.reactions import ErrorEvent, Failure, Usage
from otel_agents.testing.scripted_model.values import Json

_STATUSES = MappingProxyType(
    {
        400: "INVALID_ARGUMENT",
        401: "UNAUTHENTICATED",
        403: "PERMISSION_DENIED",
        404: "NOT_FOUND",
        429: "RESOURCE_EXHAUSTED",
        500: "INTERNAL",
        503: "UNAVAILABLE",
        504: "DEADLINE_EXCEEDED",
    }
)


def usage_metadata(usage: Usage) -> Json:
    """Return usage: candidates exclude thoughts, the prompt includes cached tokens.

    Counts by modality are there if any of them is not text.
    """
    counts: Json = {
        "promptTokenCount": usage.input_tokens,
        "candidatesTokenCount": usage.output_tokens - usage.reasoning_tokens,
        "totalTokenCount": usage.total_tokens,
        "cachedContentTokenCount": usage.cached_tokens,
        "thoughtsTokenCount": usage.reasoning_tokens,
    }
    if usage.input_audio_tokens or usage.input_image_tokens:
        counts["promptTokensDetails"] = _by_modality(
            TEXT=usage.input_text_tokens,
            IMAGE=usage.input_image_tokens,
            AUDIO=usage.input_audio_tokens,
        )
    if usage.output_audio_tokens or usage.output_image_tokens:
        counts["candidatesTokensDetails"] = _by_modality(
            TEXT=usage.output_text_tokens - usage.reasoning_tokens,
            IMAGE=usage.output_image_tokens,
            AUDIO=usage.output_audio_tokens,
        )
    return {name: count for name, count in counts.items() if count}


def _by_modality(**counts: int) -> list[Json]:
    return [{"modality": name, "tokenCount": count} for name, count in counts.items() if count]


def error_status(failure: Failure) -> bytes:
    """Return the body of an HTTP error."""
    status = failure.kind or failure.code or _STATUSES.get(failure.status, "UNKNOWN")
    error = {"code": failure.status, "message": failure.message, "status": status}
    return encode({"error": error})


def error_event(event: ErrorEvent, position: int) -> Frame:
    """Return the error event of a stream."""
    status = "INTERNAL" if event.code == "server_error" else event.code
    code = next((number for number, name in _STATUSES.items() if name == status), 500)
    return sse({"error": {"code": code, "message": event.message, "status": status}})
