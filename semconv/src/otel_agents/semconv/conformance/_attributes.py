"""The rules for attributes of any signal."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.groups import CONVERSATION
from otel_agents.semconv.registry import CONTENT, NAMESPACES, REGISTRY, REMOVED, Attribute
from otel_agents.semconv.requirements import Level, Requirements

from ._finding import Finding
from ._messages import content_problems

Attributes = Mapping[str, Any]

_TEMPLATES: Final = tuple(
    f"{name}." for name, attribute in REGISTRY.items() if attribute.type.startswith("template")
)


def is_ours(attributes: Attributes) -> bool:
    """Return whether any attribute is in a namespace of the tables.

    Those of the identity do not count: they are on the spans of all libraries.
    """
    return any(
        name.startswith(NAMESPACES) and _declared_name(name) not in CONVERSATION
        for name in attributes
    )


def check_attributes(
    subject: str, attributes: Attributes, declared: Requirements, *, structured: bool
) -> Iterator[Finding]:
    """Yield the findings on names, types, content and requirements of the attributes.

    Args:
        subject: The name of the span, event or metric.
        attributes: Names and values.
        declared: The allowed attributes with their requirement levels.
        structured: Whether content is structured, as on events, or a JSON string, as on spans.
    """
    for name, value in attributes.items():
        base = _declared_name(name)
        if name in REMOVED:
            yield Finding("deprecated_attribute", subject, name)
        elif base not in declared:
            yield Finding("undeclared_attribute", subject, name)
        else:
            yield from _check_value(subject, name, value, REGISTRY[base], structured)
    for name, requirement in declared.items():
        if requirement.level is Level.REQUIRED and name not in attributes:
            yield Finding("required_attribute_missing", subject, name)
    has_host = attr.SERVER_ADDRESS in attributes and attr.SERVER_PORT in declared
    if has_host and attr.SERVER_PORT not in attributes:
        yield Finding("required_attribute_missing", subject, attr.SERVER_PORT)


def _declared_name(name: str) -> str:
    """Return the name in the registry; that of a template is the part before the key."""
    return next((one[:-1] for one in _TEMPLATES if name.startswith(one)), name)


def _check_value(
    subject: str, name: str, value: Any, attribute: Attribute, structured: bool
) -> Iterator[Finding]:
    if not _has_type(value, attribute.type):
        yield Finding("wrong_type", subject, f"{name} is {type(value).__name__}")
    elif name in CONTENT and attribute.type == "any":
        yield from _check_content(subject, name, value, structured)


def _check_content(subject: str, name: str, value: Any, structured: bool) -> Iterator[Finding]:
    content = _plain(value)
    if not structured:
        if not isinstance(value, str):
            yield Finding("wrong_type", subject, f"{name} is not a JSON string")
            return
        try:
            content = json.loads(value)
        except ValueError:
            yield Finding("content_schema", subject, f"{name} is not valid JSON")
            return
    for problem in content_problems(name, content):
        yield Finding("content_schema", subject, f"{name}: {problem}")


def _plain(value: Any) -> Any:
    """Return values that an SDK may have frozen as lists and dicts."""
    if isinstance(value, Mapping):
        return {k: _plain(v) for k, v in cast("Mapping[str, Any]", value).items()}
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in cast("list[Any]", value)]
    return value


def _has_type(value: Any, kind: str) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "int":
        return isinstance(value, int) and not isinstance(value, bool)
    if kind == "double":
        return isinstance(value, float)
    if kind == "string[]":
        return isinstance(value, (list, tuple)) and all(
            isinstance(item, str) for item in cast("list[Any]", value)
        )
    return True if kind == "any" else isinstance(value, str)
