"""The output of a Collector's file exporter: one request in OTLP's JSON per line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["records", "spans"]


def records(path: Path) -> list[dict[str, Any]]:
    """Return the log records; none if the file does not exist yet."""
    return list(_items(path, "resourceLogs", "scopeLogs", "logRecords"))


def spans(path: Path) -> list[dict[str, Any]]:
    """Return the spans; none if the file does not exist yet."""
    return list(_items(path, "resourceSpans", "scopeSpans", "spans"))


def _items(path: Path, resources: str, scopes: str, items: str) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    text = path.read_text("utf-8")
    for line in text[: text.rfind("\n") + 1].splitlines():  # the last may be half written
        for resource in json.loads(line).get(resources, []):
            for scope in resource[scopes]:
                yield from scope[items]
