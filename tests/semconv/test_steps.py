"""Our own spans and events, which the conventions do not have, are declared and checked."""

from __future__ import annotations

from typing import Any

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind

from otel_agents.semconv import attributes as attr
from otel_agents.semconv.conformance import Finding, check
from otel_agents.semconv.events import EVENTS, OTEL_AGENTS_HANDOFF, OTEL_AGENTS_INTERRUPT
from otel_agents.semconv.groups import CONVERSATION
from otel_agents.semconv.registry import REGISTRY
from otel_agents.semconv.requirements import IF_KNOWN, OPT_IN, REQUIRED
from otel_agents.semconv.spans import OTEL_AGENTS_STEP, SPAN_TYPES

OURS = "otel_agents.instrumentors.toy"
TYPE = {"otel_agents.step.type": "task"}


def span(
    attributes: dict[str, Any], *, scope: str = OURS, kind: SpanKind = SpanKind.INTERNAL
) -> ReadableSpan:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    provider.get_tracer(scope).start_span("task write", kind=kind, attributes=attributes).end()
    (finished,) = exporter.get_finished_spans()
    return finished


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"otel_agents.step.number": 0},
        {"otel_agents.turn": 1},
        {"gen_ai.conversation.id": "c1", "user.id": "ada", "session.id": "s1"},
        {"otel_agents.stream.abandoned": True},
        {"gen_ai.evaluation.name": "exact", "gen_ai.evaluation.score.value": 0.5},
    ],
)
def test_a_step_with_its_type_has_no_findings(more: dict[str, Any]) -> None:
    assert check(span({**TYPE, **more})) == []


@pytest.mark.parametrize(
    "attributes",
    [
        {"otel_agents.step.number": 1},
        {"otel_agents.turn": 1},
        {"gen_ai.conversation.id": "c1"},
        {"user.id": "ada"},
        {},
    ],
)
def test_a_step_without_its_type_is_a_finding(attributes: dict[str, Any]) -> None:
    """Whatever other attributes it has: backends need not parse names."""
    assert check(span(attributes)) == [
        Finding("required_attribute_missing", "task write", "otel_agents.step.type")
    ]


@pytest.mark.parametrize("attributes", [{}, {"user.id": "ada"}, {"http.request.method": "GET"}])
def test_foreign_spans_need_no_type(attributes: dict[str, Any]) -> None:
    for scope in ("application", "opentelemetry.instrumentation.httpx", "otel_agents_of_somebody"):
        assert check(span(attributes, scope=scope)) == []


@pytest.mark.parametrize(
    ("more", "rule", "detail"),
    [
        ({"otel_agents.step.type": 1}, "wrong_type", "otel_agents.step.type is int"),
        ({"otel_agents.step.number": "1"}, "wrong_type", "otel_agents.step.number is str"),
        ({"gen_ai.tool.name": "search"}, "undeclared_attribute", "gen_ai.tool.name"),
        ({"otel_agents.step.name": "write"}, "undeclared_attribute", "otel_agents.step.name"),
    ],
)
def test_one_mistake_in_a_step_is_one_finding(more: dict[str, Any], rule: str, detail: str) -> None:
    assert check(span({**TYPE, **more})) == [Finding(rule, "task write", detail)]


def test_a_step_is_not_a_client_span() -> None:
    found = check(span(TYPE, kind=SpanKind.CLIENT))
    assert found == [Finding("kind_unexpected", "task write", "CLIENT")]


def test_the_type_of_a_step_is_required_and_sampled() -> None:
    assert SPAN_TYPES["otel_agents.step"] is OTEL_AGENTS_STEP
    assert OTEL_AGENTS_STEP.attributes[attr.OTEL_AGENTS_STEP_TYPE] == REQUIRED
    assert attr.OTEL_AGENTS_STEP_TYPE in OTEL_AGENTS_STEP.sampled
    assert REGISTRY[attr.OTEL_AGENTS_STEP_TYPE].type == "string"
    assert REGISTRY[attr.OTEL_AGENTS_STEP_OUTCOME].type == "string"
    assert REGISTRY[attr.OTEL_AGENTS_STEP_NUMBER].type == "int"
    assert REGISTRY[attr.OTEL_AGENTS_STEP_COUNT].type == "int"


def test_our_events_are_declared() -> None:
    found = {name: event for name, event in EVENTS.items() if name.startswith("otel_agents.")}
    assert found == {
        "otel_agents.handoff": OTEL_AGENTS_HANDOFF,
        "otel_agents.interrupt": OTEL_AGENTS_INTERRUPT,
    }
    assert dict(OTEL_AGENTS_INTERRUPT.attributes) == {
        **CONVERSATION,
        attr.OTEL_AGENTS_INTERRUPT_VALUE: OPT_IN,
    }
    assert dict(OTEL_AGENTS_HANDOFF.attributes) == {
        **CONVERSATION,
        attr.OTEL_AGENTS_HANDOFF_FROM: IF_KNOWN,
        attr.OTEL_AGENTS_HANDOFF_TO: REQUIRED,
    }
    assert REGISTRY[attr.OTEL_AGENTS_INTERRUPT_VALUE].type == "string"


class Log:
    """A log record in the shape of the SDK's."""

    def __init__(self, name: str, **attributes: Any) -> None:
        self.log_record = self
        self.event_name = name
        self.severity_number = None
        self.attributes = {key.replace("__", "."): value for key, value in attributes.items()}


@pytest.mark.parametrize(
    ("log", "findings"),
    [
        (Log("otel_agents.interrupt"), []),
        (Log("otel_agents.interrupt", otel_agents__interrupt__value='{"approve":"?"}'), []),
        (
            Log("otel_agents.interrupt", otel_agents__interrupt__value=1),
            [("wrong_type", "otel_agents.interrupt.value is int")],
        ),
        (
            Log("otel_agents.interrupt", otel_agents__interrupt__id="i1"),
            [("undeclared_attribute", "otel_agents.interrupt.id")],
        ),
        (Log("otel_agents.interrupted"), [("event_unknown", "not in the tables")]),
        (Log("otel_agents.handoff", otel_agents__handoff__to="b"), []),
        (
            Log("otel_agents.handoff"),
            [("required_attribute_missing", "otel_agents.handoff.to")],
        ),
    ],
)
def test_our_events_are_checked(log: Log, findings: list[tuple[str, str]]) -> None:
    found = [Finding(rule, log.event_name, detail) for rule, detail in findings]
    assert check(log) == found
