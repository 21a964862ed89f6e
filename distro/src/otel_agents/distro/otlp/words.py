"""What a receiver said about a request: one short line, with nothing of ours."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections.abc import Callable, Iterable
from importlib import import_module
from typing import Any, Final, cast
from urllib.parse import quote

__all__ = ["body_text", "in_short", "partial_success", "uncompressed"]

_LONGEST: Final = 200
_READ: Final = 1000
"""Characters that are looked at; what a proxy says may be a whole page."""
_SECRET: Final = 4
"""Characters of a header's value from which on it is looked for."""
_ECHOED_WORDS: Final = 3
_ID: Final = re.compile(r"(?=\S*\d)\S{6,}")
_EDGES: Final = "\"'`.,:;()[]{}<>"
_TITLE: Final = re.compile(r"<title[^>]*>(.*?)</title>", re.IGNORECASE | re.DOTALL)
_MESSAGES: Final = ("message", "error", "error_description", "detail", "title", "msg", "reason")
_CUT: Final = "…"


def in_short(text: str, secrets: Iterable[str], sent: Callable[[], bytes]) -> str:
    """``text`` as one line without ``secrets`` and without what it repeats of the request.

    Args:
        text: What the receiver said.
        secrets: Values of headers; so are their words.
        sent: The request as it was before compression; called only where something was said.
    """
    text = "".join(char if char.isprintable() else " " for char in text[:_READ])
    for part in _parts(secrets):
        text = re.sub(re.escape(part), _CUT, text, flags=re.IGNORECASE)
    words = text.split()
    line = " ".join(_without_echo(words, sent())) if words else ""
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 1]}{_CUT}"


def _parts(secrets: Iterable[str]) -> list[str]:
    """The secrets and their words, as they are and percent-encoded; the longest first."""
    parts = {part for secret in secrets for part in (secret, *secret.split())}
    encoded = {quote(part, safe="") for part in parts}
    return sorted((it for it in parts | encoded if len(it) >= _SECRET), key=len, reverse=True)


def _without_echo(words: list[str], sent: bytes) -> Iterable[str]:
    place = 0
    while place < len(words):
        run = _echoed(words[place:], sent)
        yield _CUT if run else words[place]
        place += run or 1


def _echoed(words: list[str], sent: bytes) -> int:
    """How many words from the first one on stand in the request; few may by chance."""
    run = 0
    while run < len(words) and _stand(" ".join(words[: run + 1]), sent):
        run += 1
    if run >= _ECHOED_WORDS or (run and _ID.fullmatch(words[0].strip(_EDGES))):
        return run
    return 0


def _stand(text: str, sent: bytes) -> bool:
    return text.strip(_EDGES).encode("utf-8", "replace") in sent


def uncompressed(body: bytes) -> bytes:
    """The request's body as it was before compression."""
    try:
        if body.startswith(b"\x1f\x8b"):
            return gzip.decompress(body)
        return zlib.decompress(body) if body.startswith(b"\x78") else body
    except (OSError, EOFError, zlib.error):  # it only began so
        return body


def body_text(kind: str, body: bytes) -> str:
    """The message in an HTTP answer with the content type ``kind``."""
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


def partial_success(answer: bytes) -> tuple[int, str]:
    """Of a protobuf answer: how many items were not taken, and why, or what the receiver warns of.

    It is the same message for every signal, with other names.
    """
    if not answer:
        return 0, ""
    service: Any = import_module("opentelemetry.proto.collector.trace.v1.trace_service_pb2")
    try:
        told = service.ExportTraceServiceResponse.FromString(answer).partial_success
    except Exception:  # noqa: BLE001  whatever this protobuf raises for what is none
        return 0, ""
    return max(told.rejected_spans, 0), told.error_message


def _status_message(body: bytes) -> str:
    status: Any = import_module("google.rpc.status_pb2")
    try:
        return status.Status.FromString(body).message
    except Exception:  # noqa: BLE001  whatever this protobuf raises for what is no Status
        return ""


def _message(told: object) -> str:
    if isinstance(told, str):
        return told
    if isinstance(told, dict):
        fields = cast("dict[str, object]", told)
        return next(filter(None, (_message(fields.get(name)) for name in _MESSAGES)), "")
    return ""
