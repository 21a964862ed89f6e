"""A log record as it may leave the process."""

from __future__ import annotations

import copy
from collections.abc import Collection
from typing import Any, Final

from otel_agents.distro.foreign.names import stored
from otel_agents.distro.foreign.passage import Passage

__all__ = ["event_name", "names_of", "passed_record"]

_NAMES: Final = ("event.name", "event_name")
"""Attributes that held the name of an event before records had one."""


def event_name(record: Any) -> str | None:
    """Return the name of an event; None for a record that is none."""
    name = getattr(record, "event_name", None)
    if name:
        return name
    attributes = stored(record.attributes)
    for key in _NAMES:
        if key in attributes:
            found = attributes[key]
            return found if isinstance(found, str) else None
    return None


def names_of(record: Any) -> Collection[str]:
    """Return the names by which a record shows what it is about."""
    name, attributes = event_name(record), stored(record.attributes)
    return attributes if name is None else [*attributes, name]


def passed_record(record: Any, passage: Passage) -> Any:
    """Return ``record`` as it may leave; a copy if something changes."""
    name = event_name(record)
    attributes = passage.event(name or "", record.attributes)
    body = record.body
    if name in passage.kinds.events:
        body = passage.body(body)
    marks = passage.marks()
    if attributes is record.attributes and body is record.body and not marks:
        return record
    changed = copy.copy(record)
    changed.attributes = {**(attributes or {}), **marks}
    changed.body = body
    return changed
