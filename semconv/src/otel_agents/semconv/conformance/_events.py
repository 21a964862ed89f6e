"""The rules for events."""

from __future__ import annotations

from typing import Any

from otel_agents.semconv.events import EVENTS
from otel_agents.semconv.registry import NAMESPACES

from ._attributes import Attributes, check_attributes
from ._finding import Finding


def check_event(log: Any) -> list[Finding]:
    """Return the findings of one log record; none if its event name is foreign."""
    record = log.log_record
    name = str(getattr(record, "event_name", None) or "")
    if not name.startswith(NAMESPACES):
        return []
    declared = EVENTS.get(name)
    if declared is None:
        return [Finding("event_unknown", name, "not in the tables")]
    attributes: Attributes = record.attributes or {}
    found: list[Finding] = []
    severity = getattr(record.severity_number, "value", record.severity_number)
    if declared.severity is not None and severity != declared.severity:
        found.append(Finding("event_severity", name, f"{severity}"))
    return [*found, *check_attributes(name, attributes, declared.attributes, structured=True)]
