"""Each operation of the conventions by itself: its complete span, and its metrics."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.context import attach, detach
from opentelemetry.sdk.trace.sampling import ALWAYS_OFF
from opentelemetry.trace import SpanKind, StatusCode

from otel_agents.instrumentors._core.context.scope import (
    with_conversation_id,
    with_session_id,
    with_user_id,
)
from otel_agents.instrumentors._core.operations import (
    ClaimedCall,
    CreateAgent,
    Embeddings,
    ExecuteTool,
    FetchResponse,
    Inference,
    InvokeAgent,
    InvokeRemoteAgent,
    InvokeWorkflow,
    McpRequest,
    Memory,
    Operation,
    Plan,
    Retrieval,
    Step,
    error_type,
)
from otel_agents.instrumentors._core.telemetry.telemetry import Telemetry
from otel_agents.instrumentors.settings import Settings
from otel_agents.semconv import values
from otel_agents.testing.emission import Emission

SERVER = ("api.example", 443)
ADDRESS = {"server.address": "api.example", "server.port": 443}
Make = Callable[[Telemetry], Operation]


def with_response(call: Any) -> Any:
    call.response_model = "m-1"
    call.input_tokens = 3
    if isinstance(call, Inference):
        call.response_id = "r1"
        call.output_tokens, call.finish_reasons = 4, ("stop",)
    return call


OPERATIONS: dict[str, tuple[Make, str, SpanKind, dict[str, Any], list[str]]] = {
    "inference": (
        lambda t: with_response(Inference(t, values.Operation.CHAT, "p", "m", SERVER)),
        "chat m",
        SpanKind.CLIENT,
        {
            "gen_ai.provider.name": "p",
            "gen_ai.request.model": "m",
            "gen_ai.response.id": "r1",
            "gen_ai.response.model": "m-1",
            "gen_ai.response.finish_reasons": ("stop",),
            "gen_ai.usage.input_tokens": 3,
            "gen_ai.usage.output_tokens": 4,
            **ADDRESS,
        },
        ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"],
    ),
    "embeddings": (
        lambda t: with_response(Embeddings(t, values.Operation.EMBEDDINGS, "p", "m", SERVER)),
        "embeddings m",
        SpanKind.CLIENT,
        {
            "gen_ai.provider.name": "p",
            "gen_ai.request.model": "m",
            "gen_ai.response.model": "m-1",
            "gen_ai.usage.input_tokens": 3,
            **ADDRESS,
        },
        ["gen_ai.client.operation.duration", "gen_ai.client.token.usage"],
    ),
    "retrieval": (
        lambda t: Retrieval(t, data_source="docs"),
        "retrieval docs",
        SpanKind.CLIENT,
        {"gen_ai.data_source.id": "docs"},
        ["gen_ai.client.operation.duration"],
    ),
    "memory": (
        lambda t: Memory(t, values.Operation.SEARCH_MEMORY, store="s1"),
        "search_memory",
        SpanKind.INTERNAL,
        {"gen_ai.memory.store.id": "s1"},
        ["gen_ai.client.operation.duration"],
    ),
    "create agent": (
        lambda t: CreateAgent(t, "aws.bedrock", agent_name="ada", server=SERVER),
        "create_agent ada",
        SpanKind.CLIENT,
        {"gen_ai.provider.name": "aws.bedrock", "gen_ai.agent.name": "ada", **ADDRESS},
        ["gen_ai.client.operation.duration"],
    ),
    "workflow": (
        lambda t: InvokeWorkflow(t, "trip"),
        "invoke_workflow trip",
        SpanKind.INTERNAL,
        {"gen_ai.workflow.name": "trip"},
        ["gen_ai.invoke_workflow.duration"],
    ),
    "workflow without a name": (
        lambda t: InvokeWorkflow(t, None),
        "invoke_workflow",
        SpanKind.INTERNAL,
        {},
        ["gen_ai.invoke_workflow.duration"],
    ),
    "agent": (
        lambda t: InvokeAgent(t, "ada", model="m"),
        "invoke_agent ada",
        SpanKind.INTERNAL,
        {"gen_ai.agent.name": "ada", "gen_ai.request.model": "m"},
        ["gen_ai.invoke_agent.duration"],
    ),
    "plan": (
        lambda t: Plan(t, "ada"),
        "plan ada",
        SpanKind.INTERNAL,
        {"gen_ai.agent.name": "ada"},
        [],
    ),
    "tool": (
        lambda t: ExecuteTool(t, "search", agent_name="ada"),
        "execute_tool search",
        SpanKind.INTERNAL,
        {
            "gen_ai.tool.name": "search",
            "gen_ai.tool.type": "function",
            "gen_ai.agent.name": "ada",
        },
        ["gen_ai.execute_tool.duration"],
    ),
    "MCP client": (
        lambda t: McpRequest(t, "tools/call", tool="search"),
        "tools/call search",
        SpanKind.CLIENT,
        {
            "mcp.method.name": "tools/call",
            "gen_ai.tool.name": "search",
            "gen_ai.operation.name": "execute_tool",
        },
        ["mcp.client.operation.duration"],
    ),
    "MCP server": (
        lambda t: McpRequest(t, "ping", server_side=True),
        "ping",
        SpanKind.SERVER,
        {"mcp.method.name": "ping", "otel_agents.step.type": "mcp_request"},
        ["mcp.server.operation.duration"],
    ),
    "step": (
        lambda t: Step(t, "node", "plan", number=2),
        "node plan",
        SpanKind.INTERNAL,
        {"otel_agents.step.type": "node", "otel_agents.step.number": 2},
        [],
    ),
}
ROWS = [pytest.param(*row, id=name) for name, row in OPERATIONS.items()]


def telemetry(emission: Emission, **environ: str) -> Telemetry:
    return Telemetry("test", settings=Settings.read(environ), **emission.providers)


@pytest.mark.parametrize(("make", "name", "kind", "attributes", "metrics"), ROWS)
def test_an_operation_emits_its_span_and_its_metrics(
    make: Make,
    name: str,
    kind: SpanKind,
    attributes: dict[str, Any],
    metrics: list[str],
    emission: Emission,
) -> None:
    make(telemetry(emission)).end()
    span = emission.span
    assert (span.name, span.kind, span.status.status_code) == (name, kind, StatusCode.UNSET)
    found = dict(span.attributes or {})
    operation = found.pop("gen_ai.operation.name", None)
    assert found == {k: v for k, v in attributes.items() if k != "gen_ai.operation.name"}
    assert operation is None or name.startswith(str(operation)) or "mcp.method.name" in found
    assert sorted(emission.points()) == sorted(metrics)


@pytest.mark.parametrize(("make", "name", "kind", "attributes", "metrics"), ROWS)
def test_a_failed_operation_has_its_error_type_and_no_text(
    make: Make,
    name: str,
    kind: SpanKind,
    attributes: dict[str, Any],
    metrics: list[str],
    emission: Emission,
) -> None:
    operation = make(telemetry(emission))
    operation.failed(LookupError("planted-secret"))
    operation.failed(LookupError("again"))
    operation.end()
    span = emission.span
    assert (span.attributes or {})["error.type"] == "LookupError"
    assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert emission.events == [
        ("gen_ai.client.operation.exception", {"exception.type": "LookupError"})
    ]
    for metric in metrics:
        if metric.endswith("duration"):
            assert [point["error.type"] for point, _ in emission.points()[metric]] == [
                "LookupError"
            ]
    assert "planted-secret" not in emission.texts()


def test_a_remote_agent(emission: Emission) -> None:
    agent = InvokeRemoteAgent(telemetry(emission), "aws.bedrock", agent_name="ada", server=SERVER)
    agent.failed(LookupError())
    assert (emission.span.name, emission.span.kind) == ("invoke_agent ada", SpanKind.CLIENT)


def test_a_fetched_response(emission: Emission) -> None:
    fetch = FetchResponse(telemetry(emission), "openai", "r1", SERVER)
    fetch.response_model = "m"
    fetch.attributes["gen_ai.response.status"] = "queued"
    fetch.end()
    assert (emission.span.attributes or {})["gen_ai.response.id"] == "r1"


def test_metrics_are_recorded_whatever_the_sampling() -> None:
    emission = Emission(ALWAYS_OFF)
    operation = with_response(
        Inference(telemetry(emission), values.Operation.CHAT, "p", "m", SERVER)
    )
    assert not operation.detailed
    operation.end()
    assert emission.spans == ()
    assert sorted(emission.points()) == [
        "gen_ai.client.operation.duration",
        "gen_ai.client.token.usage",
    ]
    emission.close()


def test_a_time_to_first_chunk_set_at_the_end_is_measured(emission: Emission) -> None:
    using = telemetry(emission, OTEL_AGENTS_METRICS="both")
    inference = with_response(Inference(using, values.Operation.CHAT, "p", "m", SERVER))
    inference.attributes["gen_ai.request.stream"] = True
    inference.attributes["gen_ai.response.time_to_first_chunk"] = 0.5
    inference.end()
    points = emission.points()
    for generation in ("operation", "inference"):
        ((_, seconds),) = points[f"gen_ai.client.{generation}.time_to_first_chunk"]
        assert seconds == 0.5


def test_the_calls_of_an_agent_are_counted_in_the_latest_generation(emission: Emission) -> None:
    using = telemetry(emission, OTEL_AGENTS_METRICS="latest")
    agent = InvokeAgent(using, "ada")
    for _ in range(2):
        with_response(
            Inference(using, values.Operation.CHAT, "p", "m", SERVER, parent=agent.context)
        ).end()
    ExecuteTool(using, "search", parent=agent.context).end()
    agent.end()
    points = emission.points()
    assert points["gen_ai.invoke_agent.inference_calls"] == [({"gen_ai.agent.name": "ada"}, 2)]
    assert points["gen_ai.invoke_agent.tool_calls"] == [({"gen_ai.agent.name": "ada"}, 1)]
    assert "gen_ai.client.operation.duration" not in points


def test_conversation_user_and_session_flow_inward(emission: Emission) -> None:
    token = attach(with_user_id("ada", with_session_id("s1", with_conversation_id("c1"))))
    try:
        InvokeWorkflow(telemetry(emission), None).end()
    finally:
        detach(token)
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.conversation.id": "c1",
        "user.id": "ada",
        "session.id": "s1",
    }


def test_the_duration_counts_from_the_given_start(emission: Emission) -> None:
    tool = ExecuteTool(telemetry(emission), "search", start_time=1_000_000_000)
    tool.end()
    assert emission.span.start_time == 1_000_000_000
    ((_, seconds),) = emission.points()["gen_ai.execute_tool.duration"]
    assert seconds == ((emission.span.end_time or 0) - 1_000_000_000) / 1e9


def test_error_types_are_classes() -> None:
    class Own(Exception): ...

    assert error_type(ValueError("text")) == "ValueError"
    assert error_type(Own()) == f"{__name__}.{Own.__qualname__}"


def test_a_streamed_response_without_an_id(emission: Emission) -> None:
    inference = with_response(
        Inference(
            Telemetry("otel_agents.instrumentors.litellm", **emission.providers),
            values.Operation.CHAT,
            "groq",
            "m",
            SERVER,
        )
    )
    inference.attributes["gen_ai.request.stream"] = True
    inference.response_id = None
    inference.end()
    assert "gen_ai.response.id" not in (emission.span.attributes or {})


def test_an_application_model_class_that_reports_nothing(emission: Emission) -> None:
    telemetry = Telemetry("ag2", **emission.providers)
    claimed = ClaimedCall(telemetry, values.Operation.CHAT, model="parrot", sends_itself=True)
    claimed.returned("hello")
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.model": "parrot",
    }
