"""What AWS X-Ray requires of one segment document.

Source: X-Ray Developer Guide, "Segment documents": fields, annotations, limits.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

__all__ = ["objection"]

_BYTES: Final = 64 * 1024
_NAME: Final = re.compile(r"[\w\s.:/%&#=+\\\-@]+")
_NAME_LENGTH: Final = 200
_ID: Final = re.compile(r"[0-9a-f]{16}")
_TRACE_ID: Final = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_KEY: Final = re.compile(r"[A-Za-z0-9_.]{1,500}")
_VALUE_LENGTH: Final = 1000


def objection(text: str) -> tuple[dict[str, Any], str]:
    """Return the document, and why it is refused; an empty text if it is accepted."""
    try:
        segment: dict[str, Any] = json.loads(text)
    except ValueError:
        return {}, "a document that is no JSON"
    if len(text.encode()) > _BYTES:
        return segment, f"a document of {len(text.encode())} bytes"
    return segment, next(_objections(segment), "")


def _objections(segment: dict[str, Any]) -> Iterator[str]:
    if not _ID.fullmatch(segment.get("id", "")):
        yield f"the id {segment.get('id')}"
    if not _TRACE_ID.fullmatch(segment.get("trace_id", "")):
        yield f"the trace id {segment.get('trace_id')}"
    name = segment.get("name", "")
    if not name or len(name) > _NAME_LENGTH or not _NAME.fullmatch(name):
        yield f"the name {name}"
    if not isinstance(segment.get("start_time"), (int, float)):
        yield "no start time"
    if "end_time" not in segment and segment.get("in_progress") is not True:
        yield "neither an end time nor in progress"
    if segment.get("type", "subsegment") != "subsegment":
        yield f"the type {segment['type']}"
    if segment.get("type") and not _ID.fullmatch(segment.get("parent_id", "")):
        yield "a subsegment without a parent"
    if segment.get("namespace", "aws") not in ("aws", "remote"):
        yield f"the namespace {segment['namespace']}"
    yield from _annotations(segment.get("annotations", {}))


def _annotations(annotations: Mapping[str, object]) -> Iterator[str]:
    for key, value in annotations.items():
        if not _KEY.fullmatch(key):
            yield f"the annotation key {key}"
        if not isinstance(value, (str, int, float)):
            yield f"the annotation {key} of type {type(value).__name__}"
        if isinstance(value, str) and len(value) > _VALUE_LENGTH:
            yield f"the annotation {key} of {len(value)} characters"
