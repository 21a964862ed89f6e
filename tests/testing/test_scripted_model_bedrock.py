"""The scripted model as Amazon Bedrock: what it sends, and what it bills."""

from __future__ import annotations

import base64
import http.client
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

import pytest
from scripted_wire import send

from otel_agents.testing.scripted_model import (
    ErrorEvent,
    Failure,
    Kind,
    Response,
    ScriptedModel,
    ToolCall,
)
from otel_agents.testing.scripted_model import Usage as Tokens

NAME = "us.anthropic.claude-v1:0"
PATH = f"/model/{quote(NAME, safe='')}/converse"
REQUEST: Any = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
CHAT: Any = {"messages": [{"role": "user", "content": "Hi"}]}
PROMPT = {"prompt": "Hi"}
RESPONSE = Response(
    "Sunny today.",
    reasoning="Look outside.",
    tool_calls=[ToolCall("weather", {"city": "Bern"}, id="tooluse_1")],
    id="request-1",
    usage=Tokens(50, 20, cached_tokens=30, cache_write_tokens=5),
)
BILL = {
    "inputTokens": 15,
    "outputTokens": 20,
    "totalTokens": 70,
    "cacheReadInputTokens": 30,
    "cacheWriteInputTokens": 5,
}


def streamed(
    connection: http.client.HTTPConnection, path: str = f"{PATH}-stream", request: Any = REQUEST
) -> list[tuple[str, Any]]:
    """Return name and payload of an event stream's messages; check their checksums."""
    connection.request("POST", path, json.dumps(request))
    response = connection.getresponse()
    assert response.getheader("Content-Type") == "application/vnd.amazon.eventstream"
    data, found = response.read(), list[tuple[str, Any]]()
    while data:
        size, head, checksum = struct.unpack(">III", data[:12])
        message, data = data[:size], data[size:]
        assert checksum == zlib.crc32(message[:8])
        assert message[-4:] == struct.pack(">I", zlib.crc32(message[:-4]))
        headers = dict(_headers(message[12 : 12 + head]))
        kind = headers[f":{headers[':message-type']}-type"]
        found.append((kind, json.loads(message[12 + head : -4])))
    return found


def _headers(head: bytes) -> Iterator[tuple[str, str]]:
    while head:
        length = head[0]
        name, kind = head[1 : 1 + length].decode(), head[1 + length]
        (size,) = struct.unpack(">H", head[2 + length : 4 + length])
        assert kind == 7  # a string
        yield name, head[4 + length : 4 + length + size].decode()
        head = head[4 + length + size :]


def test_a_message(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    thought = {"reasoningText": {"text": "Look outside.", "signature": "signed"}}
    call = {"toolUseId": "tooluse_1", "name": "weather", "input": {"city": "Bern"}}
    content = [{"reasoningContent": thought}, {"text": "Sunny today."}, {"toolUse": call}]
    assert send(connection, PATH, REQUEST) == (
        200,
        {
            "output": {"message": {"role": "assistant", "content": content}},
            "stopReason": "tool_use",
            "metrics": {"latencyMs": 1},
            "usage": BILL,
        },
    )
    (entry,) = model.ledger.entries
    assert (entry.api, entry.model, entry.response_id) == ("converse", NAME, "request-1")
    assert (entry.input_tokens, entry.output_tokens, entry.cached_tokens) == (50, 20, 30)


def test_a_streamed_message(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    received = streamed(connection)
    texts, arguments = "", ""
    for name, data in received:
        if name == "contentBlockDelta":
            texts += data["delta"].get("text", "")
            arguments += data["delta"].get("toolUse", {}).get("input", "")
    assert (texts, arguments) == ("Sunny today.", '{"city": "Bern"}')
    start = {"toolUse": {"toolUseId": "tooluse_1", "name": "weather"}}
    assert [data for name, data in received if name == "contentBlockStart"] == [
        {"start": start, "contentBlockIndex": 2}
    ]
    assert received[0] == ("messageStart", {"role": "assistant"})
    assert received[-2:] == [
        ("messageStop", {"stopReason": "tool_use"}),
        ("metadata", {"usage": BILL, "metrics": {"latencyMs": 1}}),
    ]
    (entry,) = model.ledger.entries
    assert (entry.streamed, entry.input_tokens, entry.output_tokens) == (True, 50, 20)


def test_by_default_a_tool_is_called_once(connection: http.client.HTTPConnection) -> None:
    schema = {"json": {"type": "object", "properties": {"city": {"type": "string"}}}}
    tools = {"toolConfig": {"tools": [{"toolSpec": {"name": "weather", "inputSchema": schema}}]}}
    _, first = send(connection, PATH, {**REQUEST, **tools})
    (block,) = first["output"]["message"]["content"]
    assert block["toolUse"]["input"] == {"city": "example"}
    result = {"toolResult": {"toolUseId": "tooluse_1", "content": [{"text": "Sunny."}]}}
    messages = [*REQUEST["messages"], {"role": "user", "content": [result]}]
    _, last = send(connection, PATH, {"messages": messages, **tools})
    assert last["stopReason"] == "end_turn"


def test_failures_are_spelled_as_the_provider_does(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Failure(429, message="busy"))
    error = {"__type": "ThrottlingException", "message": "busy"}
    assert send(connection, PATH, REQUEST) == (429, error)
    model.script(Response(fault=ErrorEvent(1, "modelStreamErrorException", "busy")))
    assert streamed(connection)[1:] == [("modelStreamErrorException", {"message": "busy"})]
    assert (model.ledger.requests, model.ledger.input_tokens) == (2, 0)


BODIES: dict[str, tuple[Any, str]] = {
    "anthropic.claude-v1:0": (
        {"anthropic_version": "bedrock-2023-05-31", **CHAT},
        "content.0.text",
    ),
    "amazon.titan-text-lite-v1": ({"inputText": "Hi"}, "results.0.outputText"),
    "amazon.nova-lite-v1:0": (REQUEST, "output.message.content.0.text"),
    "meta.llama3-8b-instruct-v1:0": (PROMPT, "generation"),
    "mistral.mistral-7b-instruct-v0:2": (PROMPT, "outputs.0.text"),
    "mistral.mistral-large-2402-v1:0": (CHAT, "choices.0.message.content"),
    "cohere.command-text-v14": (PROMPT, "generations.0.text"),
    "cohere.command-r-v1:0": ({"message": "Hi"}, "text"),
    "ai21.j2-mid-v1": (PROMPT, "completions.0.data.text"),
    "deepseek.r1-v1:0": (PROMPT, "choices.0.text"),
    "openai.gpt-oss-20b-1:0": (CHAT, "choices.0.message.content"),
    "somebody.model-v1": ({"input": "Hi"}, "reply"),
}
"""By model a request, and where the text of the response is."""
COUNTS = {
    "anthropic.claude-v1:0": "usage.input_tokens",
    "amazon.titan-text-lite-v1": "inputTextTokenCount",
    "amazon.nova-lite-v1:0": "usage.inputTokens",
    "meta.llama3-8b-instruct-v1:0": "prompt_token_count",
    "openai.gpt-oss-20b-1:0": "usage.prompt_tokens",
}
"""By model where the input tokens are; the others report them in headers alone."""


def at(path: str, body: Any) -> Any:
    """Return the value at a path of keys and indexes."""
    for step in path.split("."):
        body = body[int(step) if step.isdigit() else step]
    return body


@pytest.mark.parametrize("name", BODIES)
def test_a_models_own_body(
    name: str, model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Response("Sunny today.", usage=Tokens(50, 20)))
    request, path = BODIES[name]
    connection.request("POST", f"/model/{quote(name, safe='')}/invoke", json.dumps(request))
    response = connection.getresponse()
    body = json.loads(response.read())
    assert at(path, body) == "Sunny today."
    assert name not in COUNTS or at(COUNTS[name], body) == 50
    counts = [response.getheader(f"X-Amzn-Bedrock-{it}-Token-Count") for it in ("Input", "Output")]
    assert counts == ["50", "20"]
    (entry,) = model.ledger.entries
    assert (entry.api, entry.model, entry.input_tokens) == ("invoke_model", name, 50)


@pytest.mark.parametrize("name", BODIES)
def test_a_stream_of_a_models_own_chunks(
    name: str, model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Response("Sunny today.", usage=Tokens(50, 20, cached_tokens=30)))
    path = f"/model/{quote(name, safe='')}/invoke-with-response-stream"
    received = streamed(connection, path, BODIES[name][0])
    payloads = [json.loads(base64.b64decode(data["bytes"])) for _, data in received]
    assert all(word in json.dumps(payloads) for word in ("Sunny", "today."))
    assert payloads[-1]["amazon-bedrock-invocationMetrics"] == {
        "inputTokenCount": 20,
        "outputTokenCount": 20,
        "cacheReadInputTokenCount": 30,
        "invocationLatency": 2,
        "firstByteLatency": 1,
    }
    (entry,) = model.ledger.entries
    assert (entry.streamed, entry.input_tokens, entry.output_tokens) == (True, 50, 20)


def test_embeddings(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    _, titan = send(
        connection,
        "/model/amazon.titan-embed-text-v2%3A0/invoke",
        {"inputText": "Hi", "dimensions": 8},
    )
    _, cohere = send(connection, "/model/cohere.embed-v4%3A0/invoke", {"texts": ["a", "b"]})
    assert (len(titan["embedding"]), len(cohere["embeddings"])) == (8, 2)
    assert model.ledger.only(Kind.EMBEDDINGS).requests == 2
    assert titan["inputTextTokenCount"] == model.ledger.entries[0].input_tokens


def test_a_picture(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Response(images=[b"picture"]))
    path = "/model/amazon.nova-canvas-v1%3A0/invoke"
    _, body = send(connection, path, {"taskType": "TEXT_IMAGE"})
    assert body == {"images": [base64.b64encode(b"picture").decode()]}
    assert model.ledger.only(Kind.IMAGE).requests == 1


def test_a_knowledge_base(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script("Sunny.", "Sunny.", "Sunny today.")
    query = {"retrievalQuery": {"text": "weather"}}
    _, retrieved = send(connection, "/knowledgebases/KB12345678/retrieve", query)
    (found,) = retrieved["retrievalResults"]
    assert (found["content"], found["score"]) == ({"text": "Sunny."}, 0.5)
    _, generated = send(connection, "/retrieveAndGenerate", {"input": {"text": "weather"}})
    assert generated["output"] == {"text": "Sunny."}
    assert len(generated["citations"]) == 1
    received = streamed(connection, "/retrieveAndGenerateStream", {"input": {"text": "weather"}})
    assert [name for name, _ in received] == ["output", "output", "citation"]
    model.script("Sunny.")
    received = streamed(connection, "/agenticRetrieveStream", {"messages": []})
    assert received[-1][0] == "result"
    assert received[-1][1]["results"][0]["content"] == {"text": "Sunny."}
    assert (model.ledger.requests, model.ledger.input_tokens) == (4, 0)
