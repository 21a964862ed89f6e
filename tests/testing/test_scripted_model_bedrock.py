"""The scripted model as Amazon Bedrock's Converse API: what it sends, and what it bills."""

from __future__ import annotations

import http.client
import json
import struct
import zlib
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from scripted_wire import send

from otel_agents.testing.scripted_model import (
    ErrorEvent,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
)
from otel_agents.testing.scripted_model import Usage as Tokens

NAME = "us.anthropic.claude-v1:0"
PATH = f"/model/{quote(NAME, safe='')}/converse"
REQUEST: Any = {"messages": [{"role": "user", "content": [{"text": "Hi"}]}]}
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


def streamed(connection: http.client.HTTPConnection) -> list[tuple[str, Any]]:
    """Return name and payload of an event stream's messages; check their checksums."""
    connection.request("POST", f"{PATH}-stream", json.dumps(REQUEST))
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
