"""A finding, and the rules."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

RULES: Final = MappingProxyType(
    {
        "status_ok": "an instrumentation leaves the status unset",
        "error_type_missing": "an error has its error.type",
        "error_type_without_error": "error.type is set only after an error",
        "name_format": "the name is the operation and its subject",
        "expected_attribute_missing": "recommended attributes are present",
        "kind_unexpected": "the span kind is allowed for the span type",
        "operation_unknown": "the operation is well-known",
        "content_schema": "messages and other content match the schemas",
        "required_attribute_missing": "required attributes are present",
        "undeclared_attribute": "every attribute is declared for its signal",
        "deprecated_attribute": "no attribute is from earlier conventions",
        "wrong_type": "values have the declared type",
        "metric_unknown": "the metric is declared",
        "metric_instrument": "the metric has the declared instrument",
        "metric_unit": "the metric has the declared unit",
        "metric_buckets": "the histogram has the declared bucket boundaries",
        "event_unknown": "the event is declared",
        "event_severity": "the event has the declared severity",
    }
)
"""All rules, and what they require."""


@dataclass(frozen=True)
class Finding:
    """One violation of the conventions: the rule, its subject, and details.

    Example:
        >>> str(Finding("name_format", "chat", "expected 'chat gpt-5'"))
        "chat: name_format: expected 'chat gpt-5'"
    """

    rule: str
    subject: str
    detail: str

    def __str__(self) -> str:
        return f"{self.subject}: {self.rule}: {self.detail}"
