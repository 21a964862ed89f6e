"""Spans in OTLP's JSON, as Jaeger and MLflow give them back: plain values and `golden.Found`."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping
from typing import Any

from backends.golden import Found, Node

__all__ = ["attributes", "found"]

_KINDS = {1: "INTERNAL", 2: "SERVER", 3: "CLIENT", 4: "PRODUCER", 5: "CONSUMER"}
_ID_BYTES = 8


def attributes(pairs: list[Any]) -> dict[str, Any]:
    """Attributes by name, their values plain."""
    return {pair["key"]: _value(pair["value"]) for pair in pairs}


def found(span: Mapping[str, Any], kind: str | None = None) -> Found:
    """A span; ``kind`` where the backend keeps none."""
    given = {_snake(key): value for key, value in span.items()}
    named = given.get("kind", 0)
    told = _KINDS.get(named) or str(named).removeprefix("SPAN_KIND_")
    node = Node(
        given["name"],
        told if kind is None else kind,
        None,
        attributes(given.get("attributes", [])),
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


def _value(value: Mapping[str, Any]) -> Any:
    ((kind, held),) = value.items()
    kind = _snake(kind)
    if kind == "int_value":
        return int(held)
    if kind == "array_value":
        return [_value(item) for item in held.get("values", [])]
    if kind == "kvlist_value":
        return attributes(held.get("values", []))
    return held
