"""The parts of a span that the tree keeps, so that the buffer is bounded."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal, TypeAlias, cast

from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import StatusCode

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.values import Operation

__all__ = ["Kind", "Node", "node_of"]

Kind: TypeAlias = Literal["agent", "model", "tool", "other"]

_KINDS: Final[Mapping[str, Kind]] = MappingProxyType(
    {
        Operation.INVOKE_AGENT.value: "agent",
        Operation.CREATE_AGENT.value: "agent",
        Operation.INVOKE_WORKFLOW.value: "agent",
        Operation.EXECUTE_TOOL.value: "tool",
        Operation.CHAT.value: "model",
        Operation.TEXT_COMPLETION.value: "model",
        Operation.GENERATE_CONTENT.value: "model",
        Operation.EMBEDDINGS.value: "model",
    }
)
_OUTCOMES: Final = (attr.OTEL_AGENTS_STEP_OUTCOME, attr.OTEL_AGENTS_HANDOFF_TO)
_LONGEST_TEXT: Final = 240
_OVER_MANY: Final = frozenset(("batch", "evaluate", "parallel"))
"""The types of steps that run something over many inputs."""
_UNREMARKABLE: Final = frozenset(
    ("stop", "tool_call", "tool_calls", "end_turn", "completed", "tool_use")
)


@dataclass(frozen=True)
class Node:
    """One finished span; times in nanoseconds, ``root`` if its parent is not in this process."""

    trace_id: int
    span_id: int
    parent_id: int | None
    root: bool
    name: str
    position: str
    """``2/3`` of several, ``2`` if their number is unknown; else empty."""
    outcome: str
    """The decision, the target of a handoff, or the score; else empty."""
    service: str
    kind: Kind
    start: int
    end: int
    input_tokens: int | None
    output_tokens: int | None
    cost: float
    """In US dollars; 0 if it is not known."""
    details: tuple[str, ...]
    """For example ``256 cached``."""
    error: str | None
    content: tuple[tuple[str, str], ...]
    """Recorded content: ``in`` or ``out``, and the beginning of the text."""


def node_of(span: ReadableSpan) -> Node:
    """Return the node of a finished span."""
    attributes: Mapping[str, Any] = span.attributes or {}
    own, parent = span.context, span.parent
    return Node(
        trace_id=own.trace_id if own else 0,
        span_id=own.span_id if own else 0,
        parent_id=parent.span_id if parent else None,
        root=parent is None or parent.is_remote,
        name=_name(span.name, attributes),
        position=_position(attributes),
        outcome=_outcome(attributes),
        service=_line(str(span.resource.attributes.get("service.name", ""))),
        kind=_KINDS.get(str(attributes.get(attr.GEN_AI_OPERATION_NAME)), "other"),
        start=span.start_time or 0,
        end=span.end_time or span.start_time or 0,
        input_tokens=_number(attributes, attr.GEN_AI_USAGE_INPUT_TOKENS),
        output_tokens=_number(attributes, attr.GEN_AI_USAGE_OUTPUT_TOKENS),
        cost=_cost(attributes),
        details=tuple(_details(attributes)),
        error=_error(span, attributes),
        content=tuple(_content(attributes)),
    )


def _name(name: str, attributes: Mapping[str, Any]) -> str:
    """Return the span's name; for a handoff the source agent: the target is its outcome."""
    if attr.OTEL_AGENTS_HANDOFF_TO in attributes:
        origin = attributes.get(attr.OTEL_AGENTS_HANDOFF_FROM)
        step = str(attributes.get(attr.OTEL_AGENTS_STEP_TYPE, name))
        name = f"{step} {origin}" if origin else step
    return _line(name)


def _cost(attributes: Mapping[str, Any]) -> float:
    cost = attributes.get(attr.OTEL_AGENTS_COST)
    return cost if isinstance(cost, float) else 0.0


def _position(attributes: Mapping[str, Any]) -> str:
    number = _number(attributes, attr.OTEL_AGENTS_STEP_NUMBER)
    count = _number(attributes, attr.OTEL_AGENTS_STEP_COUNT)
    if number is None:
        return ""
    return str(number) if count is None else f"{number}/{count}"


def _outcome(attributes: Mapping[str, Any]) -> str:
    score = attributes.get(attr.GEN_AI_EVALUATION_SCORE_VALUE)
    if isinstance(score, float):
        return f"{score:g}"
    decided = (attributes[name] for name in _OUTCOMES if name in attributes)
    return _line(str(next(decided, "")))


def _details(attributes: Mapping[str, Any]) -> Iterator[str]:
    count = _number(attributes, attr.OTEL_AGENTS_STEP_COUNT) or 0
    if count > 1 and attr.OTEL_AGENTS_STEP_NUMBER not in attributes:
        over_many = attributes.get(attr.OTEL_AGENTS_STEP_TYPE) in _OVER_MANY
        yield f"{count} runs" if over_many else f"{count} tries"
    caller = attributes.get(attr.OTEL_AGENTS_TOOL_CALLER)
    if caller:
        yield _line(f"for {caller}")
    for name, word in (
        (attr.GEN_AI_USAGE_CACHE_READ_INPUT_TOKENS, "cached"),
        (attr.GEN_AI_USAGE_REASONING_OUTPUT_TOKENS, "reasoning"),
    ):
        number = _number(attributes, name)
        if number:
            yield f"{number:,} {word}"
    seconds = attributes.get(attr.GEN_AI_RESPONSE_TIME_TO_FIRST_CHUNK)
    if isinstance(seconds, float):
        yield f"first chunk {seconds:.2f} s"
    for reason in attributes.get(attr.GEN_AI_RESPONSE_FINISH_REASONS) or ():
        if reason not in _UNREMARKABLE:
            yield _line(str(reason))
    if attributes.get(attr.OTEL_AGENTS_STREAM_ABANDONED):
        yield "abandoned"


def _error(span: ReadableSpan, attributes: Mapping[str, Any]) -> str | None:
    kind = attributes.get(attr.ERROR_TYPE)
    if kind:
        return _line(str(kind))
    if span.status.status_code is StatusCode.ERROR:
        return _line(span.status.description or "error")
    return None


def _content(attributes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for direction, name, read in (
        ("in", attr.GEN_AI_INPUT_MESSAGES, _last_message),
        ("in", attr.GEN_AI_TOOL_CALL_ARGUMENTS, _text),
        ("out", attr.GEN_AI_OUTPUT_MESSAGES, _last_message),
        ("out", attr.GEN_AI_TOOL_CALL_RESULT, _text),
    ):
        value = attributes.get(name)
        text = _line(read(value)) if value is not None else ""
        if text:
            yield direction, text


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _last_message(value: Any) -> str:
    messages = _parsed(value)
    if not isinstance(messages, list) or not messages:
        return ""
    message: Any = cast(list[Any], messages)[-1]
    parts: Any = cast(Mapping[str, Any], message).get("parts") if _is_map(message) else None
    texts = (_part(part) for part in parts or () if _is_map(part))
    return " ".join(filter(None, texts))


def _part(part: Mapping[str, Any]) -> str:
    if part.get("type") == "tool_call":
        return f"{part.get('name')}({_text(part.get('arguments', ''))})"
    for key in ("content", "response", "result"):
        if part.get(key):
            return _text(part[key])
    return f"[{part.get('type', 'part')}]"


def _parsed(value: Any) -> Any:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except ValueError:  # a foreign span, or truncated by a limit of the SDK
        return None


def _is_map(value: Any) -> bool:
    return isinstance(value, Mapping)


def _number(attributes: Mapping[str, Any], name: str) -> int | None:
    value = attributes.get(name)
    return value if isinstance(value, int) else None


def _line(text: str) -> str:
    """Return one line without control characters, and so without escape sequences."""
    ellipsis = text[: _LONGEST_TEXT + 1]
    shown = "".join(char if char.isprintable() else " " for char in ellipsis)
    return " ".join(shown.split())[:_LONGEST_TEXT]
