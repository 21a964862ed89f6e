"""A finding, and the names of the rules."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

RULES: Final = MappingProxyType(
    {
        "status_ok": "an instrumentation leaves the status unset",
        "error_type_missing": "an error has its error.type",
        "error_type_without_error": "error.type only with an error",
        "name_format": "the name is the operation and its subject",
        "expected_attribute_missing": "recommended attributes are there",
        "kind_unexpected": "the kind is one of the span type's",
        "operation_unknown": "the operation is a well-known one",
        "content_schema": "messages and the like have the shapes of the schemas",
        "required_attribute_missing": "required attributes are there",
        "undeclared_attribute": "no attribute that the conventions do not know there",
        "deprecated_attribute": "no attribute of earlier conventions",
        "wrong_type": "values have the declared type",
        "metric_unknown": "the metric is a declared one",
        "metric_instrument": "the metric has its instrument",
        "metric_unit": "the metric has its unit",
        "metric_buckets": "the histogram has its bucket boundaries",
        "event_unknown": "the event is a declared one",
        "event_severity": "the event has its severity",
    }
)
"""Every rule, and what it demands."""


@dataclass(frozen=True)
class Finding:
    """One thing that does not conform: the rule, what broke it, and how."""

    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.rule}: {self.detail}"
