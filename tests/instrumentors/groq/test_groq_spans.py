"""Whole spans and metrics."""

from __future__ import annotations

import json
from importlib import import_module
from typing import Any

import groq
import pytest
from groq_calls import MESSAGES, chat
from opentelemetry.trace import SpanKind
from span_laws import SpanLaws

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall, Usage

REQUEST: dict[str, Any] = {
    "model": "openai/gpt-oss-120b",
    "temperature": 0,
    "top_p": 0.5,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "seed": 7,
    "stop": "END",
    "n": 2,
    "response_format": {"type": "json_object"},
    "user": "somebody",
    "extra_body": {  # arguments of `create` since later versions
        "max_completion_tokens": 100,
        "reasoning_effort": "low",
        "service_tier": "flex",
    },
}
SCRIPTED = Response(
    "{}",
    id="chatcmpl-1",
    model="openai/gpt-oss-120b",
    usage=Usage(100, 20, cached_tokens=30, reasoning_tokens=5),
)
ATTRIBUTES: dict[str, Any] = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "groq",
    "gen_ai.request.model": "openai/gpt-oss-120b",
    "server.address": "127.0.0.1",
    "openai.api.type": "chat_completions",
    "openai.request.service_tier": "flex",
    "gen_ai.request.temperature": 0.0,
    "gen_ai.request.top_p": 0.5,
    "gen_ai.request.max_tokens": 100,
    "gen_ai.request.frequency_penalty": 0.1,
    "gen_ai.request.presence_penalty": 0.2,
    "gen_ai.request.seed": 7,
    "gen_ai.request.stop_sequences": ("END",),
    "gen_ai.request.choice.count": 2,
    "gen_ai.request.reasoning.level": "low",
    "gen_ai.output.type": "json",
    "gen_ai.response.id": "chatcmpl-1",
    "gen_ai.response.model": "openai/gpt-oss-120b",
    "gen_ai.response.finish_reasons": ("stop", "stop"),
    "gen_ai.usage.input_tokens": 100,
    "gen_ai.usage.output_tokens": 20,
    "gen_ai.usage.cache_read.input_tokens": 30,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "openai.response.service_tier": "flex",
    "openai.response.system_fingerprint": "fp_scripted",
}


class TestSpans(SpanLaws):
    """The laws for chat: a stream has the usage that nobody requested."""

    request = REQUEST
    scripted = SCRIPTED
    attributes = ATTRIBUTES


@pytest.mark.usefixtures("instrumented")
def test_usage_that_is_also_requested_counts_once(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    chunks = list(chat(client, stream=True, extra_body={"stream_options": {"include_usage": True}}))
    assert chunks[-1].choices == []
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
    points = emission.points()["gen_ai.client.token.usage"]
    assert sum(value for _, value in points) == (
        model.ledger.input_tokens + model.ledger.output_tokens
    )


@pytest.mark.usefixtures("instrumented")
def test_embeddings(client: groq.Groq, model: ScriptedModel, emission: Emission) -> None:
    response = client.embeddings.create(
        model="nomic-embed-text-v1_5", input=["a", "b"], encoding_format="float"
    )
    assert (emission.span.name, emission.span.kind) == (
        "embeddings nomic-embed-text-v1_5",
        SpanKind.CLIENT,
    )
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "groq",
        "gen_ai.request.model": "nomic-embed-text-v1_5",
        "gen_ai.request.encoding_formats": ("float",),
        "gen_ai.response.model": response.model,
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


@pytest.mark.usefixtures("instrumented")
def test_structured_output(client: groq.Groq, emission: Emission) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    form = {"type": "json_schema", "json_schema": {"name": "place", "schema": schema}}
    response = chat(client, extra_body={"response_format": form})
    assert response.choices[0].message.content == '{"city": "example"}'
    assert (emission.span.attributes or {})["gen_ai.output.type"] == "json"


@pytest.mark.usefixtures("instrumented")
def test_tool_calls_keep_the_providers_finish_reason(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather")]))
    chat(client)
    assert (emission.span.attributes or {})["gen_ai.response.finish_reasons"] == ("tool_calls",)


@pytest.mark.usefixtures("instrumented")
def test_a_conversation_with_a_tool_is_a_span_for_each_request(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    """The SDK runs no tools: that is the application's loop."""
    tool: Any = {"type": "function", "function": {"name": "weather", "parameters": {}}}
    messages = list(MESSAGES)
    while not messages[-1].get("content") or messages[-1]["role"] != "assistant":
        sent = chat(client, messages=messages, tools=[tool]).choices[0].message
        messages.append(sent.model_dump(exclude_none=True))
        messages += [
            {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
            for call in sent.tool_calls or ()
        ]
    reasons = [(span.attributes or {})["gen_ai.response.finish_reasons"] for span in emission.spans]
    assert reasons == [("tool_calls",), ("stop",)]
    assert model.ledger.requests == 2


@pytest.mark.usefixtures("instrumented")
def test_responses_which_the_sdk_has_no_method_for(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    response: Any = client.post(
        "/openai/v1/responses", body={"model": "m", "input": "Hi"}, cast_to=object
    )
    attributes = dict(emission.span.attributes or {})
    assert (emission.span.name, attributes["openai.api.type"]) == ("chat m", "responses")
    assert attributes["gen_ai.response.id"] == response["id"]
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0


@pytest.mark.usefixtures("instrumented")
def test_a_response_that_the_caller_takes_as_httpx_has_its_usage(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    kind: Any = import_module("groq._base_client").httpx.Response
    body = {"model": "m", "messages": MESSAGES}
    response: Any = client.post("/openai/v1/chat/completions", body=body, cast_to=kind)
    attributes = dict(emission.span.attributes or {})
    assert type(response) is kind
    assert response.json()["id"] == attributes["gen_ai.response.id"]
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0


@pytest.mark.usefixtures("instrumented")
def test_requests_that_call_no_model_have_no_span(client: groq.Groq, emission: Emission) -> None:
    client.models.list()
    assert emission.spans == ()


@pytest.mark.parametrize("kind", [str, bytes])
@pytest.mark.usefixtures("instrumented")
def test_a_response_that_the_caller_takes_as_text_has_its_usage(
    kind: type[str | bytes], client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    body = {"model": "m", "messages": MESSAGES}
    response: Any = client.post("/openai/v1/chat/completions", body=body, cast_to=kind)
    attributes = dict(emission.span.attributes or {})
    assert type(response) is kind
    assert json.loads(response)["id"] == attributes["gen_ai.response.id"]
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
