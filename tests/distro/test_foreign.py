"""Law 5 across scopes: what other libraries recorded leaves only where content is enabled."""

from __future__ import annotations

import json
import timeit
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from foreign_spans import CANARY, VALUES, finished, foreign, leaving, record_of
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.trace import Link, Span, SpanContext, StatusCode, TraceFlags

from otel_agents.distro.foreign.spans import Parts, parts_of
from otel_agents.semconv.foreign import (
    CONVENTIONS,
    SCOPES,
    SCOPES_WITHOUT_CONTENT,
    VOCABULARIES,
    Scope,
    Vocabulary,
)

HOOK = "OTEL_AGENTS_REDACTION_HOOK"
LINKED = SpanContext(1, 2, is_remote=True, trace_flags=TraceFlags(1))


def example(name: str) -> str:
    return f"{name[:-1]}0.text" if name.endswith("*") else name


def scope_of(vocabulary: Vocabulary) -> Scope:
    return next(scope for scope in SCOPES if vocabulary in scope.vocabularies)


SPELLINGS = [
    pytest.param(vocabulary, example(name), kind, id=f"{vocabulary.name}: {name}")
    for vocabulary in VOCABULARIES
    for name, kind in vocabulary.content.items()
]
SHOWN = [vocabulary for vocabulary in VOCABULARIES if vocabulary.markers]


def value_of(kind: str) -> str:
    return VALUES.get(kind, f"says {CANARY}")


def span_with(scope: str, name: str, kind: str, marker: str | None = None) -> ReadableSpan:
    """Return a span with content under a name: as attribute, and of an event and a link."""
    attributes: dict[str, Any] = {"gen_ai.request.model": "m", name: value_of(kind)}
    if marker is not None:
        attributes[marker] = "shown"

    def work(span: Span) -> None:
        span.add_event("happened", {"count": 3, name: value_of(kind)})

    link = Link(LINKED, {name: value_of(kind), "kept": "so"})
    return finished(scope, attributes, work=work, links=[link])


@pytest.mark.parametrize(("vocabulary", "name", "kind"), SPELLINGS)
def test_no_spelling_of_a_known_library_leaves_by_default(
    vocabulary: Vocabulary, name: str, kind: str
) -> None:
    span = span_with(scope_of(vocabulary).name.removesuffix(".*"), name, kind)
    made = foreign().span(span)
    assert CANARY in leaving(span)
    assert CANARY not in leaving(made)
    assert dict(made.attributes or {}) == {"gen_ai.request.model": "m"}
    assert [dict(event.attributes or {}) for event in made.events] == [{"count": 3}]
    assert [dict(link.attributes or {}) for link in made.links] == [{"kept": "so"}]


@pytest.mark.parametrize("vocabulary", SHOWN, ids=lambda one: one.name)
def test_nor_on_a_span_of_an_unknown_scope_that_shows_the_vocabulary(
    vocabulary: Vocabulary, caplog: pytest.LogCaptureFixture
) -> None:
    ours = foreign()
    for name, kind in vocabulary.content.items():
        span = span_with("shop", example(name), kind, example(vocabulary.markers[0]))
        assert CANARY not in leaving(ours.span(span))
    assert len(caplog.records) == 1


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda one: one.name)
def test_with_content_enabled_each_spelling_is_as_the_library_recorded_it(
    vocabulary: Vocabulary,
) -> None:
    enabled = foreign("SPAN_ONLY", OTEL_AGENTS_PREFER="theirs")
    for span, _, _ in spans_with(vocabulary):
        assert enabled.span(span) is span


def spans_with(vocabulary: Vocabulary) -> Iterator[tuple[ReadableSpan, str, str]]:
    """Yield a span for each name of a vocabulary, with the name and the kind of its content."""
    scope = scope_of(vocabulary).name.removesuffix(".*")
    for name, kind in vocabulary.content.items():
        yield span_with(scope, example(name), kind), example(name), kind


def redacted_of(kind: str) -> Any:
    text = value_of(kind).replace(CANARY, "***")
    return json.loads(text) if kind in VALUES else text


def seen_by_hook(kind: str, value: Any) -> Any:
    SEEN.append((kind, value))
    return json.loads(json.dumps(value).replace(CANARY, "***"))


SEEN: list[tuple[str, Any]] = []


def failing(kind: str, value: Any) -> Any:
    raise ValueError(CANARY)


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda one: one.name)
def test_the_redaction_hook_sees_each_spelling_by_its_kind(vocabulary: Vocabulary) -> None:
    redacting = foreign("SPAN_ONLY", **{HOOK: f"{__name__}:seen_by_hook"})
    for span, name, kind in spans_with(vocabulary):
        SEEN.clear()
        made = redacting.span(span)
        text = value_of(kind)
        assert [(kind, json.loads(text) if kind in VALUES else text)] * 3 == SEEN
        redacted = str((made.attributes or {})[name])
        assert (json.loads(redacted) if kind in VALUES else redacted) == redacted_of(kind)
        assert CANARY not in leaving(made)


@pytest.mark.parametrize("vocabulary", VOCABULARIES, ids=lambda one: one.name)
def test_a_hook_that_fails_removes(vocabulary: Vocabulary) -> None:
    failing_hook = foreign("SPAN_ONLY", **{HOOK: f"{__name__}:failing"})
    for span, _, _ in spans_with(vocabulary):
        made = failing_hook.span(span)
        assert CANARY not in leaving(made)
        assert dict(made.attributes or {}) == {"gen_ai.request.model": "m"}


@pytest.mark.parametrize("value", ["[1", '{"role": "user"}', "[3]", "[" * 5000], ids=repr)
def test_what_has_another_shape_is_text_for_the_hook(value: str) -> None:
    SEEN.clear()
    span = finished("gcp.vertex.agent", {"gen_ai.input.messages": value})
    foreign("SPAN_ONLY", **{HOOK: f"{__name__}:seen_by_hook"}).span(span)
    assert [("other", value)] == SEEN


def test_the_budgets_hold() -> None:
    parts = [{"type": "text", "content": "x" * 50_000}]
    history = [{"role": "user", "parts": parts} for _ in range(4)]
    messages = json.dumps(history, separators=(",", ":"))
    span = finished(
        "strands.telemetry.tracer",
        {
            "gen_ai.input.messages": messages,
            "gen_ai.output.messages": messages,
            "gen_ai.tool.call.arguments": "y" * 70_000,
            "system_prompt": "z" * 70_000,
        },
    )
    made = foreign("SPAN_ONLY").span(span).attributes or {}
    contents = {name: str(made[name]) for name in (span.attributes or {}) if name in made}
    assert max(map(len, contents.values())) <= 60_000
    assert sum(map(len, contents.values())) <= 180_000
    assert json.loads(contents["gen_ai.input.messages"])[-1]["role"] == "user"
    assert made["otel_agents.content.truncated"] == tuple(span.attributes or {})
    assert made["otel_agents.content.original_bytes"] == sum(
        len(str(value)) for value in (span.attributes or {}).values()
    )


def test_the_budget_holds_for_a_text_whose_start_is_narrow() -> None:
    text = json.dumps(["a" * 5000 + "é" * 20_000], ensure_ascii=False)
    span = finished("agent_framework", {"gen_ai.input.messages": text})
    made = foreign("SPAN_ONLY", OTEL_AGENTS_CONTENT_MAX_BYTES="30000").span(span)
    size = len(str((made.attributes or {})["gen_ai.input.messages"]).encode())
    assert 20_000 < size <= 30_000


def fails(span: Span) -> None:
    span.record_exception(ValueError(f"no {CANARY}"))
    span.set_status(StatusCode.ERROR, f"ValueError: no {CANARY}")


@pytest.mark.parametrize("scope", ["agent_framework", "shop"])
def test_texts_of_errors_leave_only_with_content(scope: str) -> None:
    span = finished(scope, {"gen_ai.operation.name": "chat"}, work=fails)
    made = foreign().span(span)
    assert CANARY not in leaving(made)
    assert (made.status.status_code, made.status.description) == (StatusCode.ERROR, None)
    assert [(event.name, dict(event.attributes or {})) for event in made.events] == [
        ("exception", {"exception.type": "ValueError", "exception.escaped": "False"})
    ]
    assert made.events[0].timestamp == span.events[0].timestamp
    assert foreign("SPAN_ONLY").span(span) is span
    assert CANARY not in leaving(foreign("EVENT_ONLY").span(span))


def messages_as_events(span: Span) -> None:
    span.add_event("gen_ai.user.message", {"content": CANARY})
    details = {"gen_ai.output.messages": CANARY}
    span.add_event("gen_ai.client.inference.operation.details", details)
    span.add_event("gen_ai.tool.message", {"role": "tool", "id": "t1", "content": CANARY})
    span.add_event(
        "gen_ai.choice", {"finish_reason": "stop", "message": CANARY, "tool.result": CANARY}
    )


@pytest.mark.parametrize("scope", ["strands.telemetry.tracer", "shop"])
def test_an_event_that_is_a_message_keeps_what_is_no_content(scope: str) -> None:
    span = finished(scope, {}, work=messages_as_events)
    made = foreign().span(span)
    assert [(event.name, dict(event.attributes or {})) for event in made.events] == [
        ("gen_ai.tool.message", {"role": "tool", "id": "t1"}),
        ("gen_ai.choice", {"finish_reason": "stop"}),
    ]


def test_what_else_a_span_has_is_kept() -> None:
    span = finished("agent_framework", {"gen_ai.input.messages": CANARY}, name="chat m")
    made = foreign().span(span)
    assert made is not span
    for name in ("name", "context", "parent", "kind", "resource", "start_time", "end_time"):
        assert getattr(made, name) == getattr(span, name)
    assert made.instrumentation_scope is span.instrumentation_scope
    assert (made.dropped_attributes, made.dropped_events, made.dropped_links) == (0, 0, 0)
    assert (span.attributes or {})["gen_ai.input.messages"] == CANARY


@pytest.mark.parametrize("vocabulary", SHOWN, ids=lambda one: one.name)
def test_nor_what_another_instrumentation_adds_to_a_known_librarys_span(
    vocabulary: Vocabulary,
) -> None:
    ours = foreign()
    for name, kind in vocabulary.content.items():
        marker = example(vocabulary.markers[0])
        span = span_with("mcp-python-sdk", example(name), kind, marker)
        assert CANARY not in leaving(ours.span(span))


def test_a_prompt_in_the_name_of_a_span_is_removed() -> None:
    span = finished("opentelemetry.instrumentation.crewai", {}, name=f"Ask {CANARY}.task")
    assert foreign().span(span).name == "task"
    assert foreign("SPAN_ONLY").span(span) is span


APPLICATION: list[dict[str, Any]] = [
    {},
    {"http.route": "/chat", "error.message": CANARY},
    {"input.value": CANARY, "output": CANARY, "metadata": CANARY, "final_result": CANARY},
    {"db.query.text": CANARY, "exception.message": CANARY},
]


@pytest.mark.parametrize("attributes", APPLICATION, ids=repr)
def test_an_applications_spans_are_never_touched(attributes: dict[str, Any]) -> None:
    span = finished("shop", attributes, work=fails, links=[Link(LINKED, {"input.value": "x"})])
    assert foreign().span(span) is span
    assert foreign("SPAN_ONLY").span(span) is span


@pytest.mark.parametrize("attributes", APPLICATION, ids=repr)
def test_an_applications_logs_are_never_touched(attributes: dict[str, Any]) -> None:
    data = record_of("shop", body=f"said {CANARY}", attributes=attributes)
    assert foreign().record(data.log_record, data.instrumentation_scope) is data.log_record


@pytest.mark.parametrize(
    "scope", ["otel_agents.instrumentors.openai", *sorted(SCOPES_WITHOUT_CONTENT)[:2]]
)
def test_a_scope_with_nothing_to_do_costs_a_look_up(scope: str) -> None:
    ours = foreign()
    span = finished(scope, {"gen_ai.input.messages": CANARY, "http.route": "/"}, work=fails)
    assert ours.span(span) is span
    assert seconds(lambda: ours.span(span)) < 1e-6


def seconds(step: Callable[[], object]) -> float:
    """Return what a step costs, undisturbed by what else the machine does."""
    return min(timeit.repeat(step, number=200, repeat=200)) / 200


REQUEST = {
    "http.request.method": "GET",
    "url.path": "/chat",
    "http.route": "/chat",
    "http.response.status_code": 200,
    "server.address": "shop.example",
    "server.port": 443,
}


def test_nor_does_an_applications_span_or_log_record_cost_a_microsecond() -> None:
    ours, span = foreign(), finished("shop", REQUEST)
    data = record_of("shop", body="said", attributes={"code.function.name": "order", "line": 3})
    given, scope = data.log_record, data.instrumentation_scope
    assert (ours.span(span), ours.record(given, scope)) == (span, given)
    assert seconds(lambda: ours.span(span)) < 1e-6
    assert seconds(lambda: ours.record(given, scope)) < 1e-6


def happens(span: Span) -> None:
    span.add_event("message", {"message.type": "SENT", "message.id": 1})


@pytest.mark.parametrize(
    ("work", "links"),
    [(happens, []), (fails, []), (None, [Link(LINKED, {"kind": "cause"})])],
    ids=["event", "exception", "link"],
)
def test_nor_does_a_span_with_an_event_or_a_link(
    work: Callable[[Span], None] | None, links: list[Link]
) -> None:
    ours, span = foreign(), finished("shop", REQUEST, work=work, links=links)
    assert ours.span(span) is span
    assert seconds(lambda: ours.span(span)) < 1e-6


def prompts(span: Span) -> None:
    span.add_event("happened", {"gen_ai.prompt": CANARY})


def test_what_shows_genai_telemetry_is_found_whatever_was_seen_before() -> None:
    ours = foreign()
    for _ in range(2):
        assert ours.span(finished("shop", {"http.route": "/"})).attributes == {"http.route": "/"}
        for plain in ({}, {"http.route": "/"}):
            prompt = {"gen_ai.prompt": CANARY}
            link = Link(LINKED, prompt)
            made = [
                ours.span(finished("shop", {**plain, **prompt})),
                ours.span(finished("shop", plain, links=[link])),
                ours.span(finished("shop", plain, work=prompts)),
                ours.span(finished("shop", plain, work=messages_as_events)),
            ]
            assert CANARY not in "".join(map(leaving, made))


class _Derived(ReadableSpan):
    """A span whose properties return something else than the SDK's own fields."""

    @property
    def attributes(self) -> Any:
        return {"gen_ai.prompt": CANARY}


def test_a_span_of_another_class_is_read_by_its_properties() -> None:
    like = finished("shop", {})
    span = _Derived("order", instrumentation_scope=like.instrumentation_scope)
    assert dict(foreign().span(span).attributes or {}) == {}


EVENTS: list[dict[str, Any]] = [
    {"event_name": "gen_ai.user.message", "body": {"content": CANARY, "role": "user"}},
    {"attributes": {"event.name": "gen_ai.user.message", "content": CANARY}, "body": CANARY},
    {
        "attributes": {"event_name": "gen_ai.content.prompt", "gen_ai.prompt": CANARY},
        "body": CANARY,
    },
    {
        "event_name": "gen_ai.choice",
        "body": {"index": 0, "message": {"role": "assistant", "content": CANARY}},
    },
    {
        "event_name": "gen_ai.client.inference.operation.details",
        "attributes": {"gen_ai.input.messages": [{"role": "user", "parts": [CANARY]}]},
    },
    {
        "event_name": "gen_ai.client.operation.exception",
        "attributes": {"exception.message": CANARY},
    },
]


@pytest.mark.parametrize("fields", EVENTS, ids=lambda one: str(one)[:60])
@pytest.mark.parametrize("scope", ["gcp.vertex.agent", "litellm", "shop"])
def test_events_leave_without_content_by_default(scope: str, fields: dict[str, Any]) -> None:
    data = record_of(scope, **fields)
    given, attributes, body = data.log_record, data.log_record.attributes, data.log_record.body
    made = foreign("SPAN_ONLY").record(given, data.instrumentation_scope)
    assert CANARY in f"{attributes}{body}"
    assert CANARY not in f"{made.attributes}{made.body}"
    assert made is not given
    assert (given.attributes, given.body) == (attributes, body)
    assert foreign("EVENT_ONLY").record(given, data.instrumentation_scope) is given


def test_of_a_message_in_a_body_the_rest_is_kept() -> None:
    data = record_of("gcp.vertex.agent", **EVENTS[3])
    made = foreign().record(data.log_record, data.instrumentation_scope)
    assert made.body == {"index": 0, "message": {"role": "assistant"}}


def test_an_application_gets_its_own_content_back_by_one_variable(
    caplog: pytest.LogCaptureFixture,
) -> None:
    span = finished("shop", {"gen_ai.prompt": CANARY})
    ours = foreign()
    for _ in range(2):
        assert dict(ours.span(span).attributes or {}) == {}
    assert [record.getMessage() for record in caplog.records] == [
        (
            "otel-agents: spans or events of the scope 'shop' hold prompts or other content, which "
            "was removed; to keep it, set OTEL_AGENTS_FOREIGN_CONTENT=shop, or enable content capture"
        )
    ]
    for kept in ("shop", "*", "basket, shop"):
        assert foreign(OTEL_AGENTS_FOREIGN_CONTENT=kept).span(span) is span
    assert foreign(OTEL_AGENTS_FOREIGN_CONTENT="basket").span(span) is not span
    hook = {HOOK: f"{__name__}:seen_by_hook"}
    redacted = foreign(OTEL_AGENTS_FOREIGN_CONTENT="shop", **hook).span(span)
    assert dict(redacted.attributes or {}) == {"gen_ai.prompt": "***"}
    assert len(caplog.records) == 2


def test_a_known_library_is_not_kept_by_that_variable() -> None:
    span = finished("agent_framework", {"gen_ai.input.messages": CANARY})
    assert CANARY not in leaving(foreign(OTEL_AGENTS_FOREIGN_CONTENT="*").span(span))


def test_scopes_without_end_are_a_bounded_number_of_lines(caplog: pytest.LogCaptureFixture) -> None:
    ours = foreign()
    for number in range(20):
        ours.span(finished(f"job-{number}", {"gen_ai.prompt": CANARY}))
    assert len(caplog.records) == 8


def test_the_conventions_names_are_content_in_every_scope() -> None:
    for name, kind in CONVENTIONS.content.items():
        span = finished("shop", {"gen_ai.request.model": "m", example(name): value_of(kind)})
        assert dict(foreign().span(span).attributes or {}) == {"gen_ai.request.model": "m"}


def test_the_parts_of_a_span_are_all_that_may_change() -> None:
    assert Parts._fields == ("name", "attributes", "events", "links", "status")
    span = finished("shop", {"a": 1})
    assert parts_of(span).attributes == {"a": 1}
