"""Whole spans, metrics and events of Converse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from bedrock_calls import CONVERSATION, HAS_AIOBOTOCORE, HAS_CONVERSE
from span_laws import (
    check_latest_metrics,
    check_previous_metrics,
    check_streamed,
    check_whole,
)

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall, Usage

pytestmark = pytest.mark.skipif(not HAS_CONVERSE, reason="boto3 1.33 has no Converse")

REQUEST: dict[str, Any] = {
    **CONVERSATION,
    "inferenceConfig": {
        "maxTokens": 100,
        "temperature": 0,
        "topP": 0.5,
        "stopSequences": ["END"],
    },
    "additionalModelRequestFields": {"top_k": 7, "output_config": {"effort": "low"}},
    "guardrailConfig": {"guardrailIdentifier": "guard1", "guardrailVersion": "1"},
}
USAGE = Usage(100, 20, cached_tokens=30, cache_write_tokens=5)
SCRIPTED = Response("{}", id="request-1", usage=USAGE)


def expected(model: ScriptedModel, **changes: Any) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "us.anthropic.claude-v1:0",
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.top_k": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.reasoning.level": "low",
        "aws.bedrock.guardrail.id": "guard1",
        "gen_ai.response.id": "request-1",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_write.input_tokens": 5,
    }
    return {**attributes, **changes}


def converse(client: Any, run: Any) -> None:
    client.converse(**REQUEST)


def converse_async(client: Any, run: Any) -> None:
    async def use(client: Any) -> None:
        await client.converse(**REQUEST)

    run(use)


@pytest.mark.parametrize("send", [converse] + [converse_async] * HAS_AIOBOTOCORE)
@pytest.mark.usefixtures("instrumented")
def test_a_conversation(
    send: Callable[..., None], client: Any, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(SCRIPTED)
    send(client, run)
    check_whole(emission, "chat us.anthropic.claude-v1:0", expected(model))


def stream(client: Any, run: Any) -> None:
    list(client.converse_stream(**REQUEST)["stream"])


def stream_async(client: Any, run: Any) -> None:
    async def use(client: Any) -> None:
        async for _ in (await client.converse_stream(**REQUEST))["stream"]:
            pass

    run(use)


@pytest.mark.parametrize("send", [stream] + [stream_async] * HAS_AIOBOTOCORE)
@pytest.mark.usefixtures("instrumented")
def test_a_streamed_conversation(
    send: Callable[..., None], client: Any, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(SCRIPTED)
    send(client, run)
    check_streamed(emission, expected(model, **{"gen_ai.request.stream": True}))


@pytest.mark.usefixtures("instrumented")
def test_the_response_is_what_it_is_without_telemetry(client: Any, model: ScriptedModel) -> None:
    from botocore.eventstream import EventStream

    model.script(SCRIPTED, SCRIPTED)
    response = client.converse(**REQUEST)
    assert type(response) is dict
    assert response["stopReason"] == "end_turn"
    streamed = client.converse_stream(**REQUEST)
    assert sorted(streamed) == ["ResponseMetadata", "stream"]
    assert isinstance(streamed["stream"], EventStream)
    events = [next(iter(event)) for event in streamed["stream"]]
    assert (events[0], events[-1]) == ("messageStart", "metadata")


@pytest.mark.usefixtures("instrumented")
def test_structured_output(client: Any, model: ScriptedModel, emission: Emission) -> None:
    schema = {"schema": '{"type": "object"}', "name": "city"}
    text_format = {"type": "json_schema", "structure": {"jsonSchema": schema}}
    client.converse(**CONVERSATION, outputConfig={"textFormat": text_format})
    assert (emission.span.attributes or {})["gen_ai.output.type"] == "json"


@pytest.mark.usefixtures("instrumented")
def test_tool_calls_keep_the_providers_finish_reason(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather")]))
    client.converse(**CONVERSATION)
    assert (emission.span.attributes or {})["gen_ai.response.finish_reasons"] == ("tool_use",)


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_is_called(client: Any, model: ScriptedModel, emission: Emission) -> None:
    """The model requests a call, gets its result, and responds: two requests, two spans."""
    schema = {"json": {"type": "object", "properties": {"city": {"type": "string"}}}}
    tools = {"tools": [{"toolSpec": {"name": "weather", "inputSchema": schema}}]}
    first = client.converse(**CONVERSATION, toolConfig=tools)
    requested = first["output"]["message"]
    (block,) = requested["content"]
    result = {"toolUseId": block["toolUse"]["toolUseId"], "content": [{"text": "Sunny."}]}
    messages = [
        *CONVERSATION["messages"],
        requested,
        {"role": "user", "content": [{"toolResult": result}]},
    ]
    client.converse(**{**CONVERSATION, "messages": messages}, toolConfig=tools)
    reasons = [(it.attributes or {})["gen_ai.response.finish_reasons"] for it in emission.spans]
    assert reasons == [("tool_use",), ("end_turn",)]
    usage = emission.points()["gen_ai.client.token.usage"]
    billed = model.ledger.input_tokens + model.ledger.output_tokens
    assert sum(value for _, value in usage) == billed


@pytest.mark.usefixtures("instrumented")
def test_a_prompt_and_the_model_that_a_router_chose(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    chosen = "arn:aws:bedrock:us-east-1::foundation-model/amazon.nova-lite-v1:0"
    model.script(Response(extra={"trace": {"promptRouter": {"invokedModelId": chosen}}}))
    prompt = "arn:aws:bedrock:us-east-1:123456789012:prompt/PROMPT1234:2"
    client.converse(modelId=prompt, promptVariables={"city": {"text": "Bern"}})
    attributes = dict(emission.span.attributes or {})
    names = ("request.model", "response.model", "prompt.name", "prompt.version")
    assert [attributes[f"gen_ai.{name}"] for name in names] == [prompt, chosen, "PROMPT1234", "2"]


@pytest.mark.usefixtures("instrumented")
def test_the_metrics_of_the_previous_generation(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(SCRIPTED)
    client.converse(**REQUEST)
    check_previous_metrics(emission, expected(model))


def test_the_metrics_of_the_latest_generation(
    client: Any, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(OTEL_AGENTS_METRICS="latest")
    model.script(SCRIPTED)
    client.converse(**REQUEST)
    details = {"cache_read.input_tokens": 30, "cache_write.input_tokens": 5}
    check_latest_metrics(emission, **details)


def test_the_event_of_a_conversation(
    client: Any, model: ScriptedModel, emission: Emission, instrument: Callable[..., None]
) -> None:
    instrument(OTEL_INSTRUMENTATION_GENAI_EMIT_EVENT="true")
    model.script(SCRIPTED)
    client.converse(**REQUEST)
    ((name, attributes),) = emission.events
    assert name == "gen_ai.client.inference.operation.details"
    assert attributes == expected(model)


async def send_async(client: Any) -> None:
    await client.converse(**CONVERSATION)


def test_trace_headers_are_sent_by_setting_and_are_in_no_signed_url(
    client: Any, run: Any, model: ScriptedModel, emission: Emission, instrument: Any
) -> None:
    client.converse(**CONVERSATION)
    instrument(OTEL_AGENTS_PROPAGATE_HEADERS="127.*")
    client.converse(**CONVERSATION)
    if HAS_AIOBOTOCORE:
        run(send_async)
    before, *entries = model.ledger.entries
    assert "traceparent" not in before.headers
    for entry, span in zip(entries, emission.spans, strict=True):
        assert span.context is not None
        assert f"{span.context.span_id:016x}" in entry.headers["traceparent"]
    signed = client.generate_presigned_url("converse", Params=CONVERSATION)
    assert "traceparent" not in signed


@pytest.mark.usefixtures("instrumented")
def test_by_default_no_trace_headers_are_sent(client: Any, model: ScriptedModel) -> None:
    client.converse(**CONVERSATION)
    (entry,) = model.ledger.entries
    assert "traceparent" not in entry.headers
