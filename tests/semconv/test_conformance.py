"""The checker finds each kind of mistake, and nothing in correct telemetry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field, replace
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, set_span_in_context

from otel_agents.semconv.conformance import GAPS, RULES, Finding, check


class Kind(Enum):
    CLIENT = 1
    SERVER = 2
    INTERNAL = 3


class Code(Enum):
    UNSET = 0
    OK = 1
    ERROR = 2


@dataclass(frozen=True)
class Status:
    status_code: Code = Code.UNSET


@dataclass(frozen=True)
class Scope:
    name: str


@dataclass(frozen=True)
class Span:
    name: str
    attributes: dict[str, Any]
    kind: Kind = Kind.CLIENT
    status: Status = Status()
    instrumentation_scope: Scope | None = None

    def by(self, library: str) -> Span:
        """Return the span as that library's instrumentor creates it."""
        return replace(self, instrumentation_scope=Scope(f"otel_agents.instrumentors.{library}"))

    def with_(self, **attributes: Any) -> Span:
        """Return the span with changed attributes; None removes one."""
        names = {key.replace("__", "."): value for key, value in attributes.items()}
        merged = {**self.attributes, **names}
        return replace(self, attributes={k: v for k, v in merged.items() if v is not None})


def messages(*parts: Any) -> str:
    return json.dumps([{"role": "user", "parts": list(parts)}])


CHAT = Span(
    "chat gpt-4o",
    {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o",
        "openai.api.type": "chat_completions",
        "gen_ai.response.id": "r1",
        "gen_ai.response.model": "gpt-4o",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 1,
        "gen_ai.usage.output_tokens": 2,
        "server.address": "api.openai.com",
        "server.port": 443,
    },
)
TOOL = Span(
    "execute_tool search",
    {"gen_ai.operation.name": "execute_tool", "gen_ai.tool.name": "search"},
    Kind.INTERNAL,
)
AGENT = Span(
    "invoke_agent ada",
    {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "ada",
        "gen_ai.usage.input_tokens": 1,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.response.finish_reasons": ("stop",),
    },
    Kind.INTERNAL,
)
FINISH = "gen_ai.response.finish_reasons"
SERVER = {"server.address": "h", "server.port": 443}
PICTURE = Span(
    "generate_content m",
    {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": "m",
        "gen_ai.output.type": "image",
        **SERVER,
    },
).by("google_genai")
GOOD = [
    CHAT,
    TOOL,
    AGENT,
    AGENT.with_(gen_ai__usage__input_tokens=None, gen_ai__usage__output_tokens=None),
    CHAT.with_(gen_ai__input__messages=messages({"type": "text", "content": "hi"})),
    CHAT.with_(gen_ai__input__messages=messages({"type": "custom", "anything": 1})),
    replace(CHAT, name="chat").with_(gen_ai__request__model=None),
    replace(
        CHAT.with_(error__type="openai.RateLimitError", gen_ai__response__id=None),
        status=Status(Code.ERROR),
    ),
    CHAT.with_(
        gen_ai__request__stream=True,
        gen_ai__usage__input_tokens=None,
        gen_ai__usage__output_tokens=None,
    ).by("openai"),
    CHAT.with_(gen_ai__response__id=None, gen_ai__response__model=None).by("autogen"),
    CHAT.with_(gen_ai__response__id=None, gen_ai__response__model=None).by("openai_agents"),
    CHAT.with_(gen_ai__response__finish_reasons=None, gen_ai__response__id=None).by("langchain"),
    CHAT.with_(gen_ai__response__model=None, server__address=None).by("crewai"),
    CHAT.with_(gen_ai__response__finish_reasons=None, gen_ai__response__id=None).by("crewai"),
    CHAT.with_(gen_ai__provider__name="aws.bedrock", gen_ai__response__id=None).by("crewai"),
    CHAT.with_(
        gen_ai__conversation__id="conv_1", gen_ai__response__id=None, gen_ai__response__model=None
    ).by("mistralai"),
    CHAT.with_(gen_ai__provider__name="cerebras", server__address=None).by("ag2_classic"),
    CHAT.with_(gen_ai__provider__name="mistral_ai", server__address=None).by("ag2"),
    CHAT.with_(
        gen_ai__provider__name="gcp.gemini",
        gen_ai__response__id=None,
        gen_ai__usage__output_tokens=None,
    ).by("ag2_classic"),
    CHAT.with_(
        gen_ai__request__stream=True,
        gen_ai__usage__input_tokens=None,
        gen_ai__usage__output_tokens=None,
    ).by("ag2_classic"),
    CHAT.with_(
        gen_ai__request__stream=True, gen_ai__provider__name="groq", gen_ai__response__id=None
    ).by("litellm"),
    replace(CHAT, name="text_completion gpt-4o")
    .with_(
        gen_ai__operation__name="text_completion",
        gen_ai__provider__name="anthropic",
        openai__api__type=None,
        gen_ai__usage__input_tokens=None,
        gen_ai__usage__output_tokens=None,
    )
    .by("anthropic"),
    CHAT.with_(gen_ai__request__stream=True, gen_ai__response__model=None).by("litellm"),
    CHAT.with_(
        gen_ai__response__id=None,
        gen_ai__response__model=None,
        gen_ai__provider__name="aws.bedrock",
    ).by("litellm"),
    CHAT.with_(gen_ai__response__model=None, gen_ai__provider__name="aws.bedrock").by("bedrock"),
    replace(CHAT, name="generate_content gpt-4o")
    .with_(
        gen_ai__operation__name="generate_content",
        gen_ai__provider__name="aws.bedrock",
        openai__api__type=None,
        gen_ai__response__finish_reasons=None,
        gen_ai__usage__input_tokens=None,
        gen_ai__usage__output_tokens=None,
    )
    .by("bedrock"),
    Span(
        "embeddings titan",
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.request.model": "titan",
            "gen_ai.usage.input_tokens": 1,
            "server.address": "h",
            "server.port": 443,
        },
    ).by("bedrock"),
    CHAT.with_(**{"gen_ai.prompt.variable.city": "Bern"}),
    PICTURE,
    replace(PICTURE, attributes={**PICTURE.attributes, "gen_ai.response.id": "o1"}).with_(
        gen_ai__output__type=None, otel_agents__response__pending=True
    ),
    Span(
        "embeddings m",
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "gcp.gemini",
            "gen_ai.request.model": "m",
            "gen_ai.usage.input_tokens": 1,
            **SERVER,
        },
    ).by("google_genai"),
    CHAT.with_(gen_ai__response__id=None, gen_ai__provider__name="mistral_ai").by("ag2"),
    CHAT.with_(
        gen_ai__response__id=None,
        gen_ai__response__model=None,
        gen_ai__provider__name="aws.bedrock",
    ).by("ag2"),
    CHAT.with_(
        otel_agents__response__pending=True,
        gen_ai__response__finish_reasons=None,
        gen_ai__usage__input_tokens=None,
        gen_ai__usage__output_tokens=None,
    ),
    CHAT.with_(gen_ai__provider__name="acme", gen_ai__response__id=None, server__address=None).by(
        "litellm"
    ),
    Span(
        "embeddings e",
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "custom",
            "gen_ai.request.model": "e",
            "gen_ai.response.model": "e",
            "gen_ai.usage.input_tokens": 1,
            **SERVER,
        },
    ),
    Span(
        "embeddings e",
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "custom",
            "gen_ai.request.model": "e",
        },
    ).by("llama_index"),
    CHAT.with_(
        gen_ai__request__stream=True, gen_ai__response__id=None, gen_ai__response__model=None
    ).by("dspy"),
    Span("retrieval", {"gen_ai.operation.name": "retrieval"}),
    Span(
        "fetch_response",
        {
            "gen_ai.operation.name": "fetch_response",
            "gen_ai.provider.name": "openai",
            "gen_ai.response.id": "r1",
            "gen_ai.response.model": "m",
            "gen_ai.response.status": "queued",
            **SERVER,
        },
    ),
    Span("search_memory", {"gen_ai.operation.name": "search_memory"}, Kind.INTERNAL),
    Span(
        "create_agent ada",
        {
            "gen_ai.operation.name": "create_agent",
            "gen_ai.provider.name": "aws.bedrock",
            "gen_ai.agent.name": "ada",
            **SERVER,
        },
    ),
    Span(
        "invoke_agent ada",
        {**AGENT.attributes, "gen_ai.provider.name": "aws.bedrock", **SERVER},
    ),
    Span("invoke_workflow", {"gen_ai.operation.name": "invoke_workflow"}, Kind.INTERNAL),
    Span("plan ada", {"gen_ai.operation.name": "plan", "gen_ai.agent.name": "ada"}, Kind.INTERNAL),
    Span(
        "tools/call search",
        {
            "mcp.method.name": "tools/call",
            "gen_ai.tool.name": "search",
            "gen_ai.operation.name": "execute_tool",
        },
    ),
    Span("initialize", {"mcp.method.name": "initialize"}, Kind.SERVER),
    Span("task write", {"otel_agents.step.type": "task", "otel_agents.turn": 1}, Kind.INTERNAL),
    Span("GET /", {"http.request.method": "GET"}, Kind.SERVER, Status(Code.OK)),
]


@pytest.mark.parametrize("span", GOOD, ids=lambda span: span.name)
def test_correct_spans_have_no_findings(span: Span) -> None:
    assert check(span) == []


ERROR = Status(Code.ERROR)
STREAM = CHAT.with_(gen_ai__request__stream=True)
TOKENS = ("gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens")
MISSING = {
    "the usage of a stream of the Responses API": (
        STREAM.with_(openai__api__type="responses", **dict.fromkeys(TOKENS)).by("openai"),
        TOKENS,
    ),
    "the usage of a stream of another format": (
        STREAM.with_(
            openai__api__type=None, gen_ai__provider__name="anthropic", **dict.fromkeys(TOKENS)
        ).by("litellm"),
        TOKENS,
    ),
    "the server of a client of AG2 that has a base URL": (
        CHAT.with_(gen_ai__provider__name="anthropic", server__address=None).by("ag2"),
        ("server.address",),
    ),
    "the input tokens of Gemini in classic AG2": (
        CHAT.with_(gen_ai__provider__name="gcp.gemini", **{TOKENS[0]: None}).by("ag2_classic"),
        TOKENS[:1],
    ),
    "half of the usage of a stream": (STREAM.with_(**{TOKENS[1]: None}).by("openai"), TOKENS[1:]),
    "half of the usage of a stream of classic AG2": (
        STREAM.with_(**{TOKENS[1]: None}).by("ag2_classic"),
        TOKENS[1:],
    ),
    "the usage of a stream whose library is another": (
        STREAM.with_(**dict.fromkeys(TOKENS)).by("crewai"),
        TOKENS,
    ),
    "what OpenAI's SDK knows of an unknown provider": (
        CHAT.with_(
            gen_ai__provider__name="openi",
            gen_ai__response__id=None,
            server__address=None,
            **dict.fromkeys(TOKENS),
        ).by("openai"),
        (*TOKENS, "gen_ai.response.id", "server.address"),
    ),
    "the id of a stream of LiteLLM": (
        STREAM.with_(gen_ai__response__id=None).by("litellm"),
        ("gen_ai.response.id",),
    ),
    "the server of a call that failed": (
        replace(
            CHAT.with_(error__type="E", gen_ai__response__id=None, server__address=None),
            status=ERROR,
        ).by("openai"),
        ("server.address",),
    ),
}


@pytest.mark.parametrize(("span", "names"), MISSING.values(), ids=MISSING)
def test_an_attribute_that_the_library_has_is_missed(span: Span, names: tuple[str, ...]) -> None:
    rule = "expected_attribute_missing"
    assert set(check(span)) == {Finding(rule, span.name, name) for name in names}


BROKEN: list[tuple[str, Span, str]] = [
    ("status_ok", replace(CHAT, status=Status(Code.OK)), "the status is OK"),
    ("error_type_missing", replace(CHAT, status=ERROR), "the status is ERROR"),
    ("error_type_without_error", CHAT.with_(error__type="X"), "the status is UNSET"),
    ("name_format", replace(CHAT, name="openai.chat"), "expected 'chat gpt-4o'"),
    ("name_format", replace(TOOL, name="search"), "expected 'execute_tool search'"),
    ("expected_attribute_missing", CHAT.with_(gen_ai__response__id=None), "gen_ai.response.id"),
    (
        "expected_attribute_missing",
        CHAT.with_(gen_ai__usage__input_tokens=None),
        "gen_ai.usage.input_tokens",
    ),
    *(
        ("expected_attribute_missing", span, "gen_ai.response.id")
        for span in (
            CHAT.with_(gen_ai__response__id=None).by("crewai"),
            CHAT.with_(gen_ai__response__id=None, gen_ai__request__stream=True).by("openai"),
            CHAT.with_(gen_ai__response__id=None, openai__api__type=None).by("openai"),
            CHAT.with_(gen_ai__response__id=None).by("ag2_classic"),
        )
    ),
    (
        "expected_attribute_missing",
        CHAT.with_(gen_ai__response__finish_reasons=None, openai__api__type="responses"),
        "gen_ai.response.finish_reasons",
    ),
    ("kind_unexpected", replace(CHAT, kind=Kind.SERVER), "SERVER"),
    (
        "content_schema",
        CHAT.with_(gen_ai__output__messages=messages({"type": "text", "content": "hi"})),
        "gen_ai.output.messages: [0] has no finish_reason",
    ),
    (
        "content_schema",
        CHAT.with_(
            gen_ai__output__messages='[{"role": "assistant", "parts": [], "finish_reason": ""}]'
        ),
        "gen_ai.output.messages: [0]: finish_reason is empty",
    ),
    ("kind_unexpected", replace(TOOL, kind=Kind.CLIENT), "CLIENT"),
    ("operation_unknown", CHAT.with_(gen_ai__operation__name="talk"), "talk"),
    (
        "content_schema",
        CHAT.with_(gen_ai__input__messages=messages({"type": "text"})),
        "gen_ai.input.messages: [0].parts[0] (text) has no content",
    ),
    (
        "content_schema",
        CHAT.with_(gen_ai__input__messages=messages({"type": "tool_call", "name": 1})),
        "gen_ai.input.messages: [0].parts[0] (tool_call): name is int",
    ),
    (
        "content_schema",
        CHAT.with_(gen_ai__input__messages='[{"role": "user"'),
        "gen_ai.input.messages is not valid JSON",
    ),
    (
        "content_schema",
        CHAT.with_(gen_ai__tool__definitions='[{"type": "function"}]'),
        "gen_ai.tool.definitions: [0] has no name",
    ),
    (
        "content_schema",
        TOOL.with_(gen_ai__tool__call__result="[1]"),
        "gen_ai.tool.call.result: not an object",
    ),
    (
        "required_attribute_missing",
        CHAT.with_(gen_ai__provider__name=None),
        "gen_ai.provider.name",
    ),
    ("required_attribute_missing", CHAT.with_(server__port=None), "server.port"),
    ("undeclared_attribute", CHAT.with_(gen_ai__invented=1), "gen_ai.invented"),
    ("undeclared_attribute", AGENT.with_(gen_ai__provider__name="x"), "gen_ai.provider.name"),
    ("deprecated_attribute", CHAT.with_(gen_ai__system="openai"), "gen_ai.system"),
    ("wrong_type", CHAT.with_(gen_ai__usage__input_tokens="1"), "gen_ai.usage.input_tokens is str"),
    ("wrong_type", CHAT.with_(gen_ai__request__temperature=1), "gen_ai.request.temperature is int"),
]


@pytest.mark.parametrize(("rule", "span", "detail"), BROKEN, ids=[row[0] for row in BROKEN])
def test_one_mistake_is_one_finding(rule: str, span: Span, detail: str) -> None:
    assert check(span) == [Finding(rule, span.name, detail)]


@dataclass(frozen=True)
class Point:
    attributes: dict[str, Any]
    bucket_counts: tuple[int, ...] = (1,)
    explicit_bounds: tuple[float, ...] = tuple(0.01 * 2**n for n in range(14))


@dataclass(frozen=True)
class Total:
    attributes: dict[str, Any]


@dataclass(frozen=True)
class Data:
    data_points: list[Any]
    is_monotonic: bool = False


@dataclass(frozen=True)
class Metric:
    name: str = "gen_ai.client.operation.duration"
    unit: str = "s"
    data: Data = field(
        default_factory=lambda: Data([Point({"gen_ai.operation.name": "embeddings"})])
    )


def test_a_correct_metric_has_no_findings() -> None:
    assert check(Metric()) == []
    assert check(Metric("http.client.request.duration", "whatever")) == []


BROKEN_METRICS: list[tuple[str, Metric, str]] = [
    ("metric_unknown", Metric("gen_ai.invented"), "not in the tables"),
    ("metric_unit", Metric(unit="ms"), "'ms'"),
    ("metric_instrument", Metric(data=Data([Total({"gen_ai.operation.name": "x"})])), "Data"),
    (
        "metric_buckets",
        Metric(data=Data([Point({"gen_ai.operation.name": "x"}, explicit_bounds=(1.0,))])),
        "(1.0,)",
    ),
    (
        "undeclared_attribute",
        Metric(data=Data([Point({"gen_ai.operation.name": "x", "gen_ai.conversation.id": "c"})])),
        "gen_ai.conversation.id",
    ),
    ("required_attribute_missing", Metric(data=Data([Point({})])), "gen_ai.operation.name"),
]


@pytest.mark.parametrize(
    ("rule", "metric", "detail"), BROKEN_METRICS, ids=[row[0] for row in BROKEN_METRICS]
)
def test_one_mistake_in_a_metric_is_one_finding(rule: str, metric: Metric, detail: str) -> None:
    assert check(metric) == [Finding(rule, metric.name, detail)]


@dataclass(frozen=True)
class Record:
    event_name: str = "gen_ai.client.operation.exception"
    severity_number: int = 13
    attributes: dict[str, Any] = field(default_factory=lambda: {"exception.type": "ValueError"})


@dataclass(frozen=True)
class Log:
    log_record: Record = field(default_factory=Record)


def test_a_correct_event_has_no_findings() -> None:
    assert check(Log()) == []
    assert check(Log(Record("", 9, {"anything": 1}))) == []


BROKEN_EVENTS: list[tuple[str, Record, str]] = [
    ("event_unknown", Record("gen_ai.user.message"), "not in the tables"),
    ("event_severity", Record(severity_number=9), "9"),
    ("required_attribute_missing", Record(attributes={}), "exception.type"),
    (
        "undeclared_attribute",
        Record(attributes={"exception.type": "E", "gen_ai.invented": 1}),
        "gen_ai.invented",
    ),
]


@pytest.mark.parametrize(
    ("rule", "record", "detail"), BROKEN_EVENTS, ids=[row[0] for row in BROKEN_EVENTS]
)
def test_one_mistake_in_an_event_is_one_finding(rule: str, record: Record, detail: str) -> None:
    assert check(Log(record)) == [Finding(rule, record.event_name, detail)]


def test_every_rule_is_tested() -> None:
    seen = {row[0] for rows in (BROKEN, BROKEN_METRICS, BROKEN_EVENTS) for row in rows}
    assert seen == set(RULES)


def test_sdk_spans_are_checked() -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("test")
    attributes = {**CHAT.attributes, "gen_ai.system": "openai"}
    tracer.start_span(CHAT.name, kind=SpanKind.CLIENT, attributes=attributes).end()
    (span,) = exporter.get_finished_spans()
    assert check(span) == [Finding("deprecated_attribute", "chat gpt-4o", "gen_ai.system")]


@pytest.mark.parametrize("late", [False, True])
def test_an_agent_needs_what_the_model_calls_below_reported(late: bool) -> None:
    exporter = InMemorySpanExporter()
    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("otel_agents.instrumentors.crewai")
    agent = tracer.start_span("invoke_agent", kind=SpanKind.INTERNAL)
    agent.set_attribute("gen_ai.operation.name", "invoke_agent")
    task = tracer.start_span("task", set_span_in_context(agent))
    call = tracer.start_span(CHAT.name, set_span_in_context(task), attributes=CHAT.attributes)
    task.end()
    for span in (agent, call) if late else (call, agent):
        span.end()
    spans = exporter.get_finished_spans()
    (found,) = [span for span in spans if span.name == "invoke_agent"]
    missing = ["gen_ai.usage.input_tokens", "gen_ai.usage.output_tokens", FINISH]
    rule = "expected_attribute_missing"
    expected = [] if late else [Finding(rule, "invoke_agent", name) for name in missing]
    assert sorted(check(found, spans), key=str) == sorted(expected, key=str)
    assert check(found) == []


def test_an_unused_gap_fails_a_complete_run(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parents[1]))
    pytester.makeconftest('pytest_plugins = ["gaps"]')
    pytester.makepyfile("def test_nothing(): pass")
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", "--require-all-gaps")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    result.stdout.fnmatch_lines([f"unused gap: {gap.type}: *" for gap in GAPS])
