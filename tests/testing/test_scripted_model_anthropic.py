"""The scripted model as Anthropic's API: what it sends, and what it bills."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from scripted_wire import events, send

from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
    Usage,
)

PATH = "/v1/messages"
REQUEST: Any = {"model": "claude", "max_tokens": 9, "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE = Response(
    "Sunny today.",
    reasoning="Look outside.",
    tool_calls=[ToolCall("weather", {"city": "Bern"}, id="toolu_1")],
    id="msg_1",
    usage=Usage(50, 20, cached_tokens=30, cache_write_tokens=5),
)
BILL = {
    "input_tokens": 15,
    "cache_creation_input_tokens": 5,
    "cache_read_input_tokens": 30,
    "output_tokens": 20,
    "service_tier": "standard",
}
CONTENT = [
    {"type": "thinking", "thinking": "Look outside.", "signature": "signed"},
    {"type": "text", "text": "Sunny today."},
    {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": "Bern"}},
]


def test_a_message(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    assert send(connection, PATH, REQUEST) == (
        200,
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "model": "claude",
            "content": CONTENT,
            "stop_reason": "tool_use",
            "stop_sequence": None,
            "usage": BILL,
        },
    )
    (entry,) = model.ledger.entries
    assert (entry.api, entry.model, entry.response_id) == ("messages", "claude", "msg_1")
    assert (entry.input_tokens, entry.output_tokens, entry.cached_tokens) == (50, 20, 30)


def test_a_streamed_message(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    received = events(connection, PATH, {**REQUEST, "stream": True})
    assert all(name == data["type"] for name, data in received)
    blocks = dict.fromkeys(range(3), "")
    for name, data in received:
        if name == "content_block_delta":
            kind = data["delta"]["type"].removesuffix("_delta")
            key = {"input_json": "partial_json"}.get(kind, kind)
            blocks[data["index"]] += data["delta"][key] if kind != "signature" else ""
    assert list(blocks.values()) == ["Look outside.", "Sunny today.", '{"city": "Bern"}']
    assert received[0][1]["message"]["usage"] == {**BILL, "output_tokens": 1}
    assert received[-2][1]["usage"] == BILL
    assert received[-2][1]["delta"]["stop_reason"] == "tool_use"
    assert (model.ledger.input_tokens, model.ledger.output_tokens) == (50, 20)


def test_by_default_a_tool_is_called_once(connection: http.client.HTTPConnection) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tools = [{"name": "weather", "input_schema": schema}]
    _, first = send(connection, PATH, {**REQUEST, "tools": tools})
    (call,) = first["content"]
    assert (call["name"], call["input"]) == ("weather", {"city": "example"})
    result = {"type": "tool_result", "tool_use_id": call["id"], "content": "Sunny."}
    messages = [
        *REQUEST["messages"],
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [result]},
    ]
    _, last = send(connection, PATH, {**REQUEST, "tools": tools, "messages": messages})
    assert [block["type"] for block in last["content"]] == ["text"]
    _, barred = send(connection, PATH, {**REQUEST, "tools": tools, "tool_choice": {"type": "none"}})
    assert barred["stop_reason"] == "end_turn"


def test_failures_are_spelled_as_the_provider_does(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Failure(529, message="busy"))
    error = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    assert send(connection, PATH, REQUEST) == (529, error)
    model.script(Response(fault=ErrorEvent(1, "overloaded_error", "busy")))
    received = events(connection, PATH, {**REQUEST, "stream": True})
    assert (received[0][0], received[1:]) == ("message_start", [("error", error)])
    assert (model.ledger.requests, model.ledger.input_tokens) == (2, 0)


def test_a_stream_that_breaks_before_its_end_is_not_billed(model: ScriptedModel) -> None:
    model.script(Response("one two three", fault=Abort(4)))
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
    with pytest.raises(http.client.IncompleteRead):
        events(connection, PATH, {**REQUEST, "stream": True})
    connection.close()
    assert [entry.status.value for entry in model.ledger.entries] == ["failed"]
