"""What a Collector's file exporter wrote: one request in OTLP's JSON a line."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["records", "spans"]


def records(path: Path) -> list[dict[str, Any]]:
    """The log records; none where the file is not there yet."""
    return list(_items(path, "resourceLogs", "scopeLogs", "logRecords"))


def spans(path: Path) -> list[dict[str, Any]]:
    """The spans; none where the file is not there yet."""
    return list(_items(path, "resourceSpans", "scopeSpans", "spans"))


def _items(path: Path, resources: str, scopes: str, items: str) -> Iterator[dict[str, Any]]:
    if not path.exists():
        return
    text = path.read_text("utf-8")
    for line in text[: text.rfind("\n") + 1].splitlines():  # the last may be half written
        for resource in json.loads(line).get(resources, []):
            for scope in resource[scopes]:
                yield from scope[items]
