"""Spans in OTLP's JSON, as the query APIs of Jaeger and MLflow return them."""

from __future__ import annotations

import base64
import re
from typing import Any

from backends.golden import Found, Node

__all__ = ["attributes", "found", "value"]

_KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_ID_BYTES = 8


def value(given: dict[str, Any]) -> Any:
    """Return the Python value of an ``AnyValue`` with ``stringValue``, ``string_value`` and so on."""
    if not given:
        return None
    ((kind, inner),) = given.items()
    match kind.replace("_", "").lower():
        case "intvalue":
            return int(inner)  # 64-bit numbers are texts in JSON
        case "arrayvalue":
            return [value(one) for one in inner.get("values", [])]
        case "kvlistvalue":
            return {pair["key"]: value(pair["value"]) for pair in inner.get("values", [])}
        case _:
            return inner


def attributes(span: dict[str, Any]) -> dict[str, Any]:
    """Return the attributes of a span, an event or a log record."""
    return {pair["key"]: value(pair["value"]) for pair in span.get("attributes", [])}


def found(span: dict[str, Any], kind: str | None = None) -> Found:
    """Return a span; ``kind`` if the backend stores none."""
    given = {_snake(key): value for key, value in span.items()}
    named = given.get("kind", 0)
    name_of_kind = _KINDS.get(named) or str(named).removeprefix("SPAN_KIND_")
    node = Node(
        given["name"],
        name_of_kind if kind is None else kind,
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
    """Return an id in hexadecimal, from hexadecimal or base64."""
    return text if len(text) == 2 * _ID_BYTES else base64.b64decode(text).hex()
