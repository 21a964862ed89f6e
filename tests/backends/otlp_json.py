"""Spans in OTLP's JSON, as the query APIs of Jaeger and MLflow give them: plain values."""

from __future__ import annotations

import base64
import re
from typing import Any

from backends.golden import Found, Node

__all__ = ["attributes", "found", "value"]

_KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_ID_BYTES = 8


def value(given: dict[str, Any]) -> Any:
    """The Python value of an ``AnyValue``, whose kind is ``stringValue`` or ``string_value``, …"""
    if not given:
        return None
    ((kind, inner),) = given.items()
    match kind.replace("_", "").lower():
        case "intvalue":
            return int(inner)  # a text where JSON's numbers are too short
        case "arrayvalue":
            return [value(one) for one in inner.get("values", [])]
        case "kvlistvalue":
            return {pair["key"]: value(pair["value"]) for pair in inner.get("values", [])}
        case _:
            return inner


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """The attributes of a span, of one of its events, or of a log record."""
    return {pair["key"]: value(pair["value"]) for pair in span.get("attributes", [])}


def found(span: dict[str, Any], kind: str | None = None) -> Found:
    """A span; ``kind`` where the backend keeps none."""
    given = {_snake(key): value for key, value in span.items()}
    named = given.get("kind", 0)
    told = _KINDS.get(named) or str(named).removeprefix("SPAN_KIND_")
    node = Node(
        given["name"],
        told if kind is None else kind,
        None,
        attributes(given),
        given.get("status", {}).get("code") in (2, "STATUS_CODE_ERROR"),
    )
    parent = given.get("parent_span_id")
    start = float(given["start_time_unix_nano"])
    return Found(_id(given["span_id"]), _id(parent) if parent else None, start, node)


def _snake(name: str) -> str:
    return re.sub("([A-Z])", lambda upper: f"_{upper[1].lower()}", name)


def _id(text: str) -> str:
    """In hexadecimal, whether it was given so or in base64."""
    return text if len(text) == 2 * _ID_BYTES else base64.b64decode(text).hex()
