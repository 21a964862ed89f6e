"""A receiver's message about a request, as one short line without our secrets and data."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final, cast
from urllib.parse import quote

__all__ = ["body_text", "partial_success", "redacted_line", "uncompressed"]

_MAX_LENGTH: Final = 200
_MAX_READ: Final = 1000
"""Characters that are examined; a proxy may send a whole page."""
_MIN_SECRET: Final = 4
"""Shorter header values are not redacted."""
_MIN_ECHOED_WORDS: Final = 3
_ID: Final = re.compile(r"(?=\S*\d)\S{6,}")
_EDGES: Final = "\"'`.,:;()[]{}<>"
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MESSAGES: Final = ("message", "error", "error_description", "detail", "title", "msg", "reason")
_ELLIPSIS: Final = "…"


def redacted_line(text: str, secrets: Iterable[str], sent: Callable[[], bytes]) -> str:
    """Return ``text`` as one line, without ``secrets`` and without echoes of the request.

    Args:
        text: The receiver's message.
        secrets: Values of headers; each word of them is redacted too.
        sent: Returns the uncompressed request; called only if there is a message.
    """
    text = "".join(char if char.isprintable() else " " for char in text[:_MAX_READ])
    for form in _secret_forms(secrets):
        text = re.sub(re.escape(form), _ELLIPSIS, text, flags=re.IGNORECASE)
    words = text.split()
    line = " ".join(_without_echo(words, sent())) if words else ""
    return line if len(line) <= _MAX_LENGTH else f"{line[: _MAX_LENGTH - 1]}{_ELLIPSIS}"


def _secret_forms(secrets: Iterable[str]) -> list[str]:
    """Return the secrets and their words, plain and percent-encoded, the longest first."""
    forms = {form for secret in secrets for form in (secret, *secret.split())}
    encoded = {quote(form, safe="") for form in forms}
    return sorted((it for it in forms | encoded if len(it) >= _MIN_SECRET), key=len, reverse=True)


def _without_echo(words: list[str], sent: bytes) -> Iterable[str]:
    index = 0
    while index < len(words):
        run = _echoed_words(words[index:], sent)
        yield _ELLIPSIS if run else words[index]
        index += run or 1


def _echoed_words(words: list[str], sent: bytes) -> int:
    """Return how many of the first words the request contains; a few may match by chance."""
    run = 0
    while run < len(words) and _in_request(" ".join(words[: run + 1]), sent):
        run += 1
    if run >= _MIN_ECHOED_WORDS or (run and _ID.fullmatch(words[0].strip(_EDGES))):
        return run
    return 0


def _in_request(text: str, sent: bytes) -> bool:
    return text.strip(_EDGES).encode("utf-8", "replace") in sent


def uncompressed(body: bytes) -> bytes:
    """Return the request's body before compression."""
    try:
        if body.startswith(b"\x1f\x8b"):
            return gzip.decompress(body)
        return zlib.decompress(body) if body.startswith(b"\x78") else body
    except (OSError, EOFError, zlib.error):  # it only looked compressed
        return body


def body_text(kind: str, body: bytes) -> str:
    """Return the message in an HTTP response with the content type ``kind``."""
    if "protobuf" in kind:
        return _status_message(body)
    text = body.decode("utf-8", "replace")
    if "html" in kind:
        title = _TITLE.search(text)
        return title[1] if title else ""
    if "json" in kind:
        try:
            return _message(json.loads(text)) or text
        except (ValueError, RecursionError):
            return text
    return text


def partial_success(response: bytes) -> tuple[int, str]:
    """Return the number of rejected items and the message (a reason or a warning) of a response.

    The protobuf message has the same layout for every signal.
    """
    if not response:
        return 0, ""
    service: Any = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    try:
        value = service.ExportTraceServiceResponse.FromString(response).partial_success
    except Exception:  # noqa: BLE001  protobuf versions raise various errors for invalid bytes
        return 0, ""
    return max(value.rejected_spans, 0), value.error_message


def _status_message(body: bytes) -> str:
    status: Any = import_module("google.rpc.status_pb2")
    try:
        return status.Status.FromString(body).message
    except Exception:  # noqa: BLE001  protobuf versions raise various errors for invalid bytes
        return ""


def _message(value: object) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, dict):
        fields = cast("dict[str, object]", value)
        return next(filter(None, (_message(fields.get(name)) for name in _MESSAGES)), "")
    return ""
