"""InvokeModel: the formats that models have of their own."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any

import pytest

from otel_agents.instrumentors._dialects.bedrock.chat import CHAT as CHAT_FORMAT
from otel_agents.instrumentors._dialects.bedrock.completions import Accumulator as Completions
from otel_agents.instrumentors._dialects.bedrock.completions import finish_reasons, usage_in
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall, Usage

CHAT: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
NOVA: dict[str, Any] = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
PROMPT = {"prompt": "Hi"}
COMMON = {"temperature": 0.5, "top_p": 0.9}
SETTINGS: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    (
        "anthropic.claude-v1:0",
        {
            **CHAT,
            **COMMON,
            "anthropic_version": "bedrock-2023-05-31",
            "max_tokens": 9,
            "top_k": 3,
            "stop_sequences": ["a", "b"],
            "output_config": {"effort": "high"},
        },
        {"top_k": 3, "stop_sequences": ("a", "b"), "reasoning.level": "high"},
    ),
    (
        "amazon.titan-text-lite-v1",
        {
            "inputText": "Hi",
            "textGenerationConfig": {
                "maxTokenCount": 9,
                "temperature": 0.5,
                "topP": 0.9,
                "stopSequences": ["a"],
            },
        },
        {"stop_sequences": ("a",)},
    ),
    (
        "amazon.nova-lite-v1:0",
        {
            **NOVA,
            "inferenceConfig": {"maxTokens": 9, "temperature": 0.5, "topP": 0.9, "topK": 3},
            "reasoningConfig": {"type": "enabled", "maxReasoningEffort": "low"},
        },
        {"top_k": 3, "reasoning.level": "low"},
    ),
    ("meta.llama3-8b-instruct-v1:0", {**PROMPT, **COMMON, "max_gen_len": 9}, {}),
    (
        "mistral.mistral-7b-instruct-v0:2",
        {**PROMPT, **COMMON, "max_tokens": 9, "top_k": 3, "stop": ["a"]},
        {"top_k": 3, "stop_sequences": ("a",)},
    ),
    (
        "cohere.command-text-v14",
        {**PROMPT, "max_tokens": 9, "temperature": 0.5, "p": 0.9, "k": 3, "num_generations": 2},
        {"top_k": 3, "choice.count": 2},
    ),
    (
        "cohere.command-r-v1:0",
        {
            "message": "Hi",
            "max_tokens": 9,
            "temperature": 0.5,
            "p": 0.9,
            "seed": 7,
            "frequency_penalty": 0.1,
            "presence_penalty": 0.2,
        },
        {"seed": 7, "frequency_penalty": 0.1, "presence_penalty": 0.2},
    ),
    (
        "ai21.j2-mid-v1",
        {
            **PROMPT,
            "maxTokens": 9,
            "temperature": 0.5,
            "topP": 0.9,
            "presencePenalty": {"scale": 0.2},
        },
        {"presence_penalty": 0.2},
    ),
    (
        "openai.gpt-oss-20b-1:0",
        {
            **CHAT,
            **COMMON,
            "max_completion_tokens": 9,
            "reasoning_effort": "low",
            "response_format": {"type": "json_object"},
        },
        {"reasoning.level": "low"},
    ),
]


@pytest.mark.parametrize(("name", "body", "more"), SETTINGS, ids=[row[0] for row in SETTINGS])
@pytest.mark.usefixtures("instrumented")
def test_the_settings_of_a_request(
    name: str, body: Any, more: dict[str, Any], client: Any, emission: Emission
) -> None:
    client.invoke_model(modelId=name, body=json.dumps(body).encode())["body"].read()
    attributes = dict(emission.span.attributes or {})
    start = "gen_ai.request."
    found = {key[len(start) :]: it for key, it in attributes.items() if key.startswith(start)}
    known = {"model": name, "max_tokens": 9, "temperature": 0.5, "top_p": 0.9}
    assert found == {**known, **more}
    assert attributes.get("gen_ai.output.type") == ("json" if "response_format" in body else None)


@pytest.mark.usefixtures("instrumented")
def test_a_whole_span(client: Any, model: ScriptedModel, emission: Emission) -> None:
    usage = Usage(100, 20, cached_tokens=30, cache_write_tokens=5)
    model.script(Response("Hi", id="msg_1", model="claude-1", usage=usage))
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, **CHAT}
    known = client.meta.service_model.operation_model("InvokeModel").input_shape.members
    guardrail = {"guardrailIdentifier": "guard1", "guardrailVersion": "1"}
    if "guardrailIdentifier" not in known:  # boto3 1.33
        guardrail = {}
    client.invoke_model(modelId="anthropic.claude-v1:0", body=json.dumps(body), **guardrail)[
        "body"
    ].read()
    assert emission.span.name == "chat anthropic.claude-v1:0"
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "anthropic.claude-v1:0",
        "gen_ai.request.max_tokens": 9,
        **({"aws.bedrock.guardrail.id": "guard1"} if guardrail else {}),
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": "claude-1",
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_write.input_tokens": 5,
    }


@pytest.mark.parametrize(
    ("body", "name"),
    [
        ({"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, **CHAT}, "chat"),
        ({**NOVA, "schemaVersion": "messages-v1"}, "chat"),
        (PROMPT, "text_completion"),
        ({"inputText": "Hi", "normalize": True}, "embeddings"),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_the_body_decides_where_an_arn_names_no_model(
    body: Any, name: str, client: Any, emission: Emission
) -> None:
    arn = "arn:aws:bedrock:us-east-1:123456789012:application-inference-profile/abc"
    client.invoke_model(modelId=arn, body=json.dumps(body))["body"].read()
    assert emission.span.name == f"{name} {arn}"


@pytest.mark.parametrize("sent", [b"\x00", b"{"])
@pytest.mark.usefixtures("instrumented")
def test_a_body_that_is_no_json(sent: bytes, client: Any, emission: Emission) -> None:
    with pytest.raises(client.exceptions.ClientError):
        client.invoke_model(modelId="somebody.model", body=sent)
    assert emission.span.name == "generate_content somebody.model"


@pytest.mark.usefixtures("instrumented")
def test_titan_embeddings(client: Any, model: ScriptedModel, emission: Emission) -> None:
    body = {"inputText": "Hi", "dimensions": 8, "embeddingTypes": ["float"]}
    client.invoke_model(modelId="amazon.titan-embed-text-v2:0", body=json.dumps(body))[
        "body"
    ].read()
    assert emission.span.name == "embeddings amazon.titan-embed-text-v2:0"
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "aws.bedrock",
        "gen_ai.request.model": "amazon.titan-embed-text-v2:0",
        "gen_ai.embeddings.dimension.count": 8,
        "gen_ai.request.encoding_formats": ("float",),
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("amazon.titan-embed-image-v1", {"embeddingConfig": {"outputEmbeddingLength": 256}}),
        (
            "amazon.nova-2-multimodal-embeddings-v1:0",
            {"taskType": "SINGLE_EMBEDDING", "singleEmbeddingParams": {"embeddingDimension": 256}},
        ),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_embeddings_of_images(name: str, body: Any, client: Any, emission: Emission) -> None:
    client.invoke_model(modelId=name, body=json.dumps(body))["body"].read()
    attributes = dict(emission.span.attributes or {})
    assert emission.span.name == f"embeddings {name}"
    assert attributes["gen_ai.embeddings.dimension.count"] == 256


@pytest.mark.usefixtures("instrumented")
def test_cohere_embeddings(client: Any, model: ScriptedModel, emission: Emission) -> None:
    body = {"texts": ["a", "b"], "input_type": "search_query", "output_dimension": 8}
    client.invoke_model(modelId="cohere.embed-v4:0", body=json.dumps(body))["body"].read()
    attributes = dict(emission.span.attributes or {})
    assert emission.span.name == "embeddings cohere.embed-v4:0"
    assert attributes["gen_ai.embeddings.dimension.count"] == 8
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0


@pytest.mark.parametrize(
    ("name", "body"),
    [
        (
            "amazon.nova-canvas-v1:0",
            {"taskType": "TEXT_IMAGE", "textToImageParams": {"text": "A bear"}},
        ),
        ("stability.stable-image-core-v1:1", {"prompt": "A bear", "output_format": "png"}),
    ],
)
def test_images(
    name: str,
    body: Any,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    with_content: None,
) -> None:
    model.script(Response(images=[b"picture"], include_usage=False))
    client.invoke_model(modelId=name, body=json.dumps(body))["body"].read()
    attributes = dict(emission.span.attributes or {})
    assert emission.span.name == f"generate_content {name}"
    assert attributes["gen_ai.output.type"] == "image"
    prompt = [{"role": "user", "parts": [{"type": "text", "content": "A bear"}]}]
    assert json.loads(str(attributes["gen_ai.input.messages"])) == prompt
    ((part,),) = [it["parts"] for it in json.loads(str(attributes["gen_ai.output.messages"]))]
    assert part["otel_agents.sha256"] == hashlib.sha256(b"picture").hexdigest()
    assert base64.b64encode(b"picture").decode() not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_the_settings_of_images(client: Any, emission: Emission) -> None:
    settings = {"numberOfImages": 2, "seed": 7, "cfgScale": 8.0}
    body = {"taskType": "TEXT_IMAGE", "imageGenerationConfig": settings}
    client.invoke_model(modelId="amazon.nova-canvas-v1:0", body=json.dumps(body))["body"].read()
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.request.choice.count"] == 2
    assert attributes["gen_ai.request.seed"] == 7


def test_results_that_are_no_output_have_no_tokens_of_their_own(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    ranking = [{"index": 0, "relevance_score": 0.9}, {"index": 1, "relevance_score": 0.1}]
    model.script(Response(extra={"results": ranking}, usage=Usage(10, 5)))
    body = {"query": "Hi", "documents": ["a", "b"]}
    client.invoke_model(modelId="cohere.rerank-v3-5:0", body=json.dumps(body))["body"].read()
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.usage.input_tokens"] == 10
    assert attributes["gen_ai.usage.output_tokens"] == 5
    assert "gen_ai.output.messages" not in attributes


@pytest.mark.usefixtures("instrumented")
def test_an_imported_models_completion_has_the_usage_of_its_body(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    reported = {"usage": {"prompt_tokens": 7, "completion_tokens": 3}}
    model.script(Response("Hi", include_usage=False, extra=reported))
    arn = "arn:aws:bedrock:us-east-1:123456789012:imported-model/abc"
    client.invoke_model(modelId=arn, body=json.dumps(PROMPT))["body"].read()
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.usage.input_tokens"] == 7
    assert attributes["gen_ai.usage.output_tokens"] == 3


def test_a_stream_of_an_imported_model_has_the_usage_of_its_last_chunk() -> None:
    accumulator = Completions()
    accumulator.add({"choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}]})
    accumulator.add({"choices": [], "usage": {"prompt_tokens": 7, "completion_tokens": 3}})
    assert usage_in(accumulator.response()) == (7, 3, {})


def test_the_chunks_of_several_completions_are_kept_apart() -> None:
    accumulator = Completions()
    for index, written, reason in ((0, "a", None), (1, "b", None), (0, "c", "COMPLETE")):
        accumulator.add({"index": index, "text": written, "finish_reason": reason})
    assert not accumulator.finished
    accumulator.add({"index": 1, "text": "d", "finish_reason": "MAX_TOKENS"})
    assert accumulator.finished
    assert finish_reasons(accumulator.response()) == ("complete", "max_tokens")
    assert [one["parts"][0]["content"] for one in accumulator.messages()] == ["ac", "bd"]


def test_a_chat_of_several_choices_ends_with_the_last_one() -> None:
    accumulator = CHAT_FORMAT.accumulator(content=False)
    for index, reason in ((0, None), (1, None), (0, "stop")):
        delta = {"role": "assistant", "content": "a"}
        accumulator.add({"choices": [{"index": index, "delta": delta, "finish_reason": reason}]})
    assert not accumulator.finished
    accumulator.add({"choices": [{"index": 1, "delta": {}, "finish_reason": "length"}]})
    assert accumulator.finished


NO_NUMBERS = ["NaN", "Infinity", "-Infinity", "1e999", "1" + "0" * 400, "true", '"0.5"', "null"]


@pytest.mark.parametrize("sent", NO_NUMBERS)
@pytest.mark.usefixtures("instrumented")
def test_a_setting_that_is_no_number_is_not_recorded(
    sent: str, client: Any, emission: Emission
) -> None:
    body = f'{{"prompt": "Hi", "max_gen_len": {sent}, "temperature": {sent}, "top_p": 0.5}}'
    client.invoke_model(modelId="meta.llama3-8b-instruct-v1:0", body=body)["body"].read()
    attributes = dict(emission.span.attributes or {})
    found = {name: attributes[name] for name in attributes if name.startswith("gen_ai.request.")}
    model = {"gen_ai.request.model": "meta.llama3-8b-instruct-v1:0"}
    assert found == {**model, "gen_ai.request.top_p": 0.5}


def test_the_tools_of_command_r(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"})]))
    body: dict[str, Any] = {
        "message": "Hi",
        "preamble": "Be brief.",
        "chat_history": [{"role": "USER", "message": "a"}, {"role": "CHATBOT", "message": "b"}],
        "tools": [{"name": "weather", "description": "d", "parameter_definitions": {}}],
        "tool_results": [{"call": {"name": "weather"}, "outputs": [{"sky": "clear"}]}],
    }
    stream = client.invoke_model_with_response_stream(
        modelId="cohere.command-r-v1:0", body=json.dumps(body)
    )
    list(stream["body"])
    recorded = {
        name.removeprefix("gen_ai."): json.loads(str(value))
        for name, value in (emission.span.attributes or {}).items()
        if name.endswith(("messages", "instructions", "definitions"))
    }

    def message(role: str, content: str) -> dict[str, Any]:
        return {"role": role, "parts": [{"type": "text", "content": content}]}

    result = {"type": "tool_call_response", "response": [{"sky": "clear"}]}
    call = {"type": "tool_call", "name": "weather", "arguments": {"city": "Bern"}}
    assert recorded == {
        "system_instructions": [{"type": "text", "content": "Be brief."}],
        "tool.definitions": [{"type": "function", "name": "weather"}],
        "input.messages": [
            message("user", "a"),
            message("assistant", "b"),
            message("user", "Hi"),
            {"role": "tool", "parts": [result]},
        ],
        "output.messages": [{"role": "assistant", "parts": [call], "finish_reason": "complete"}],
    }
