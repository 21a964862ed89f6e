"""Attributes in OTLP's JSON, as the query APIs of Jaeger and MLflow give them."""

from __future__ import annotations

from typing import Any

__all__ = ["attributes", "value"]


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
