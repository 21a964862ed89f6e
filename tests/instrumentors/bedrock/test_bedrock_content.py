"""Content: only if enabled, as parts, and as it was sent."""

from __future__ import annotations

import io
import json
from typing import Any

import pytest
from bedrock_calls import BODIES, CONVERSATION, HAS_CONVERSE, ways
from message_parts import blob, text, tool_call

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall, Usage

CONVERSE = pytest.mark.skipif(not HAS_CONVERSE, reason="boto3 1.33 has no Converse")
IMAGE = b"picture"


def content(emission: Emission, name: str) -> Any:
    recorded = (emission.span.attributes or {}).get(f"gen_ai.{name}")
    return json.loads(str(recorded)) if recorded is not None else None


@pytest.mark.parametrize("way", [pytest.param(row[1], id=row[0]) for row in ways()])
@pytest.mark.usefixtures("instrumented")
def test_by_default_nothing_leaves(way: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script("planted-secret")
    way(model.base_url)
    for secret in ("planted-secret", "Eiffel", '"Hi"'):
        assert secret not in emission.texts()


BLOCKS: list[tuple[dict[str, Any], list[dict[str, Any]]]] = [
    ({"text": "Hi"}, [text("Hi")]),
    (
        {"image": {"format": "png", "source": {"bytes": IMAGE}}},
        [blob(IMAGE)],
    ),
    (
        {"video": {"format": "mp4", "source": {"s3Location": {"uri": "s3://b/v.mp4"}}}},
        [{"type": "uri", "modality": "video", "uri": "s3://b/v.mp4", "mime_type": "video/mp4"}],
    ),
    (
        {"document": {"format": "pdf", "name": "d", "source": {"bytes": IMAGE}}},
        [blob(IMAGE, "application/pdf", "document")],
    ),
    ({"document": {"name": "d", "source": {"text": "written"}}}, [text("written")]),
    ({"guardContent": {"text": {"text": "checked"}}}, [text("checked")]),
    ({"cachePoint": {"type": "default"}}, []),
    (
        {"reasoningContent": {"reasoningText": {"text": "Hm.", "signature": "s"}}},
        [{"type": "reasoning", "content": "Hm."}],
    ),
    (
        {"reasoningContent": {"redactedContent": b"..."}},
        [{"type": "generic", "generic_type": "redacted_reasoning"}],
    ),
    (
        {"toolUse": {"toolUseId": "1", "name": "weather", "input": {"city": "Bern"}}},
        [tool_call("1", "weather", city="Bern")],
    ),
    (
        {
            "toolUse": {
                "toolUseId": "1",
                "name": "nova_grounding",
                "input": {"query": "Bern"},
                "type": "server_tool_use",
            }
        },
        [
            {
                "type": "server_tool_call",
                "id": "1",
                "name": "nova_grounding",
                "server_tool_call": {"query": "Bern", "type": "nova_grounding"},
            }
        ],
    ),
    (
        {"toolResult": {"toolUseId": "1", "content": [{"text": "a"}, {"text": "b"}]}},
        [{"type": "tool_call_response", "id": "1", "response": "ab"}],
    ),
    (
        {"toolResult": {"toolUseId": "1", "content": [{"json": {"a": 1}}]}},
        [{"type": "tool_call_response", "id": "1", "response": {"a": 1}}],
    ),
    (
        {
            "toolResult": {
                "toolUseId": "1",
                "content": [{"text": "found"}],
                "type": "nova_grounding_result",
            }
        },
        [
            {
                "type": "server_tool_call_response",
                "id": "1",
                "server_tool_call_response": {"type": "nova_grounding_result", "result": "found"},
            }
        ],
    ),
    (
        {
            "citationsContent": {
                "content": [{"text": "Bern is the capital."}],
                "citations": [{"title": "Switzerland"}],
            }
        },
        [{**text("Bern is the capital."), "citations": [{"title": "Switzerland"}]}],
    ),
    (
        {
            "searchResult": {
                "source": "s",
                "title": "t",
                "content": [{"text": "found"}],
                "citations": {"enabled": True},
            }
        },
        [
            {
                "type": "generic",
                "generic_type": "search_result",
                "source": "s",
                "title": "t",
                "content": "found",
            }
        ],
    ),
]


@CONVERSE
@pytest.mark.parametrize(("block", "parts"), BLOCKS, ids=lambda it: str(it)[:40])
def test_a_content_block(
    block: Any, parts: Any, client: Any, emission: Emission, with_content: None
) -> None:
    messages = [{"role": "user", "content": [{"text": "first"}, block]}]
    client.converse(modelId="m", messages=messages)
    (message,) = content(emission, "input.messages")
    assert message == {"role": "user", "parts": [text("first"), *parts]}


@CONVERSE
def test_a_request_with_everything(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    model.script(
        Response("Sunny.", reasoning="Hm.", tool_calls=[ToolCall("weather", {"a": 1}, id="2")])
    )
    result = {"toolResult": {"toolUseId": "1", "content": [{"text": "Rain."}]}}
    spec = {"name": "weather", "description": "d", "inputSchema": {"json": {"type": "object"}}}
    client.converse(
        modelId="m",
        system=[{"text": "Be brief."}, {"cachePoint": {"type": "default"}}],
        messages=[{"role": "user", "content": [result]}],
        toolConfig={"tools": [{"toolSpec": spec}, {"systemTool": {"name": "nova_grounding"}}]},
        promptVariables={"city": {"text": "Bern"}},
    )
    response = {"type": "tool_call_response", "id": "1", "response": "Rain."}
    assert content(emission, "input.messages") == [{"role": "tool", "parts": [response]}]
    assert content(emission, "system_instructions") == [text("Be brief.")]
    assert content(emission, "tool.definitions") == [
        {"type": "function", "name": "weather"},
        {"type": "system_tool", "name": "nova_grounding"},
    ]
    assert (emission.span.attributes or {})["gen_ai.prompt.variable.city"] == "Bern"
    assert content(emission, "output.messages") == OUTPUT


OUTPUT = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "Hm."},
            text("Sunny."),
            tool_call("2", "weather", a=1),
        ],
        "finish_reason": "tool_use",
    }
]


@CONVERSE
def test_a_stream_has_the_content_of_the_response(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    model.script(
        Response("Sunny.", reasoning="Hm.", tool_calls=[ToolCall("weather", {"a": 1}, id="2")])
    )
    list(client.converse_stream(**CONVERSATION)["stream"])
    assert content(emission, "output.messages") == OUTPUT


@pytest.mark.parametrize("streamed", [False, True])
@pytest.mark.parametrize("body", BODIES[:-1], ids=lambda body: body.name)
def test_a_models_own_body(
    body: Any,
    streamed: bool,
    client: Any,
    model: ScriptedModel,
    emission: Emission,
    with_content: None,
) -> None:
    model.script("one two three")
    if streamed:
        list(client.invoke_model_with_response_stream(**body.arguments)["body"])
    else:
        client.invoke_model(**body.arguments)["body"].read()
    assert content(emission, "input.messages") == [{"role": "user", "parts": [text("Hi")]}]
    (output,) = content(emission, "output.messages")
    attributes: dict[str, Any] = dict(emission.span.attributes or {})
    (reason,) = attributes["gen_ai.response.finish_reasons"]
    assert output == {
        "role": "assistant",
        "parts": [text("one two three")],
        "finish_reason": reason,
    }


def test_a_file_that_is_sent_is_not_read(
    client: Any, model: ScriptedModel, emission: Emission, with_content: None
) -> None:
    file = io.BytesIO(json.dumps(BODIES[1].body).encode())
    client.invoke_model(modelId=BODIES[1].model, body=file)["body"].read()
    assert model.ledger.entries[0].body == BODIES[1].body
    assert content(emission, "input.messages") is None


@pytest.mark.usefixtures("instrumented")
def test_the_usage_of_a_file_that_is_sent_includes_cached_tokens(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("one", usage=Usage(100, 20, cached_tokens=30, cache_write_tokens=10)))
    message = {"role": "user", "content": "Hi"}
    body = {"anthropic_version": "bedrock-2023-05-31", "max_tokens": 9, "messages": [message]}
    file = io.BytesIO(json.dumps(body).encode())
    client.invoke_model(modelId="anthropic.claude-toy", body=file)["body"].read()
    attributes = dict(emission.span.attributes or {})
    names = ("input_tokens", "output_tokens", "cache_read.input_tokens", "cache_write.input_tokens")
    assert [attributes[f"gen_ai.usage.{name}"] for name in names] == [100, 20, 30, 10]


@CONVERSE
def test_what_the_application_edits_later_is_not_recorded(
    client: Any, emission: Emission, with_content: None
) -> None:
    sent: dict[str, Any] = {
        "system": [{"text": "SENT"}],
        "messages": [{"role": "user", "content": [{"text": "SENT"}]}],
        "toolConfig": {"tools": [{"toolSpec": {"name": "SENT", "inputSchema": {"json": {}}}}]},
    }
    for _ in client.converse_stream(modelId="m", **sent)["stream"]:
        sent["system"][0]["text"] = sent["messages"][0]["content"][0]["text"] = "EDITED"
        sent["toolConfig"]["tools"][0]["toolSpec"]["name"] = "EDITED"
    assert content(emission, "system_instructions") == [text("SENT")]
    assert content(emission, "input.messages") == [{"role": "user", "parts": [text("SENT")]}]
    assert "EDITED" not in emission.texts()


@CONVERSE
def test_a_response_that_is_edited_is_recorded_as_received(
    client: Any, emission: Emission, with_content: None
) -> None:
    response = client.converse(**CONVERSATION)
    response["output"]["message"]["content"][0]["text"] = "EDITED"
    assert "EDITED" not in emission.texts()
