"""The rules for spans."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Final

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.requirements import RECOMMENDED
from otel_agents.semconv.spans import (
    MCP_CLIENT,
    MCP_SERVER,
    OTEL_AGENTS_STEP,
    SPAN_TYPES,
    SpanType,
)
from otel_agents.semconv.values import Operation

from ._attributes import Attributes, check_attributes, is_ours
from ._finding import Finding
from ._gaps import MissingAttribute, is_gap

_SCOPE: Final = "otel_agents."
_INFERENCES: Final = (
    Operation.CHAT.value,
    Operation.GENERATE_CONTENT.value,
    Operation.TEXT_COMPLETION.value,
)
_FROM_RESPONSE: Final = ("gen_ai.response.", "gen_ai.usage.")
"""Only a response holds these; after an error there may be none."""
_NOT_EXPECTED: Final = frozenset(
    {
        # Request attributes: present only if the application has set them.
        attr.GEN_AI_REQUEST_TEMPERATURE,
        attr.GEN_AI_REQUEST_MAX_TOKENS,
        attr.GEN_AI_REQUEST_TOP_P,
        attr.GEN_AI_REQUEST_STOP_SEQUENCES,
        attr.GEN_AI_REQUEST_PRESENCE_PENALTY,
        attr.GEN_AI_REQUEST_FREQUENCY_PENALTY,
    }
)


def check_span(span: Any, others: Iterable[Any] = ()) -> list[Finding]:
    """Return the findings of one finished span, which was emitted together with ``others``."""
    attributes: Attributes = span.attributes or {}
    if not (is_ours(attributes) or _is_made_by_us(span)):
        return []
    kind = str(span.kind.name)
    found = list(_check_status(span, attributes))
    operation = attributes.get(attr.GEN_AI_OPERATION_NAME)
    if operation is not None and operation not in {known.value for known in Operation}:
        return [*found, Finding("operation_unknown", span.name, str(operation))]
    span_type = _type_of(attributes, kind)
    if kind not in span_type.kinds:
        found.append(Finding("kind_unexpected", span.name, kind))
    found += _check_name(span.name, span_type, attributes)
    found += check_attributes(span.name, attributes, span_type.attributes, structured=False)
    found += _check_expected(span, span_type, attributes, others)
    return found


def _is_made_by_us(span: Any) -> bool:
    """Return whether one of our instrumentors created the span, whatever its attributes."""
    return _scope_of(span).startswith(_SCOPE)


def _scope_of(span: Any) -> str:
    return str(getattr(getattr(span, "instrumentation_scope", None), "name", ""))


def _type_of(attributes: Attributes, kind: str) -> SpanType:
    operation = attributes.get(attr.GEN_AI_OPERATION_NAME)
    is_tool = kind == "INTERNAL" and operation == Operation.EXECUTE_TOOL.value
    if attr.MCP_METHOD_NAME in attributes and not is_tool:
        return MCP_SERVER if kind == "SERVER" else MCP_CLIENT
    of_operation = [
        span_type
        for span_type in SPAN_TYPES.values()
        if span_type not in (MCP_CLIENT, MCP_SERVER)
        and operation in {known.value for known in span_type.operations}
    ]
    fitting = [span_type for span_type in of_operation if kind in span_type.kinds]
    return (fitting or of_operation or [OTEL_AGENTS_STEP])[0]


def _check_status(span: Any, attributes: Attributes) -> Iterator[Finding]:
    status = str(span.status.status_code.name)
    if status == "OK":
        yield Finding("status_ok", span.name, "the status is OK")
    if status == "ERROR" and attr.ERROR_TYPE not in attributes:
        yield Finding("error_type_missing", span.name, "the status is ERROR")
    if status != "ERROR" and attr.ERROR_TYPE in attributes:
        yield Finding("error_type_without_error", span.name, f"the status is {status}")


def _check_name(name: str, span_type: SpanType, attributes: Attributes) -> Iterator[Finding]:
    if span_type is OTEL_AGENTS_STEP:
        return
    if span_type in (MCP_CLIENT, MCP_SERVER):
        words = [attributes.get(attr.MCP_METHOD_NAME)]
        words.append(
            attributes.get(attr.GEN_AI_TOOL_NAME) or attributes.get(attr.GEN_AI_PROMPT_NAME)
        )
    else:
        words = [attributes.get(attr.GEN_AI_OPERATION_NAME)]
        words.append(attributes.get(span_type.subject) if span_type.subject else None)
    expected = " ".join(str(word) for word in words if word)
    if name != expected:
        yield Finding("name_format", name, f"expected {expected!r}")


def _check_expected(
    span: Any, span_type: SpanType, attributes: Attributes, others: Iterable[Any]
) -> Iterator[Finding]:
    failed = attr.ERROR_TYPE in attributes
    missing = [
        name
        for name, requirement in span_type.attributes.items()
        if requirement == RECOMMENDED
        and name not in attributes
        and name not in _NOT_EXPECTED
        and not (failed and name.startswith(_FROM_RESPONSE))
    ]
    below: frozenset[str] = frozenset()
    if missing and "INTERNAL" in span_type.kinds:
        below = _reported_below(span, others)
    for name in missing:
        if not is_gap(span_type.type, MissingAttribute(name, _scope_of(span), attributes, below)):
            yield Finding("expected_attribute_missing", span.name, name)


def _reported_below(span: Any, others: Iterable[Any]) -> frozenset[str]:
    """Return the attributes of the inferences below ``span`` that had ended when it did."""
    below: dict[Any, list[Any]] = {}
    for other in others:
        if other.parent is not None:
            below.setdefault(other.parent.span_id, []).append(other)
    reported: set[str] = set()
    waiting = list(below.get(span.context.span_id, ())) if below else []
    while waiting:
        other = waiting.pop()
        waiting += below.get(other.context.span_id, ())
        attributes: Attributes = other.attributes or {}
        infers = attributes.get(attr.GEN_AI_OPERATION_NAME) in _INFERENCES
        if infers and other.end_time <= span.end_time:
            reported |= set(attributes)
    return frozenset(reported)
