"""The scripted model as Anthropic's API: what it sends, and what it bills."""

from __future__ import annotations

import http.client
import json
import threading
from typing import Any

import pytest
from scripted_wire import events, send

from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    Failure,
    Hold,
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
    assert model.ledger.requests == 2


def test_a_stream_that_breaks_bills_its_input(model: ScriptedModel) -> None:
    model.script(Response("one two three", usage=Usage(50, 20), fault=Abort(4)))
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
    with pytest.raises(http.client.IncompleteRead):
        events(connection, PATH, {**REQUEST, "stream": True})
    connection.close()
    assert (model.ledger.input_tokens, model.ledger.output_tokens) == (50, 0)


def test_a_stream_that_its_reader_leaves_bills_what_it_has_read(model: ScriptedModel) -> None:
    gate = threading.Event()
    model.script(Response("one two three", usage=Usage(50, 20), hold=Hold(2, gate)))
    connection = http.client.HTTPConnection("127.0.0.1", model.port, timeout=10)
    connection.request("POST", PATH, json.dumps({**REQUEST, "stream": True}))
    response = connection.getresponse()
    assert response.readline() == b"event: message_start\n"
    response.close()
    connection.close()
    gate.set()
    model.ledger.wait(1, ended=True)
    assert (model.ledger.input_tokens, model.ledger.output_tokens) == (50, 0)


def test_blocks_of_any_type_can_be_scripted(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    citation = {"type": "char_location", "cited_text": "Sunny."}
    items: list[dict[str, Any]] = [
        {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {"query": "Bern"}},
        {"type": "web_search_tool_result", "tool_use_id": "s", "content": []},
        {"type": "compaction", "content": "A summary."},
        {"type": "text", "text": "Sunny.", "citations": [citation]},
    ]
    model.script(Response(items=items), Response(items=items))
    _, whole = send(connection, PATH, REQUEST)
    assert whole["content"] == items
    received = events(connection, PATH, {**REQUEST, "stream": True})
    deltas = [data["delta"]["type"] for name, data in received if name == "content_block_delta"]
    assert list(dict.fromkeys(deltas)) == [
        "input_json_delta",
        "compaction_delta",
        "text_delta",
        "citations_delta",
    ]


def test_structured_output_is_an_instance_of_the_schema(
    connection: http.client.HTTPConnection,
) -> None:
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    form = {"type": "json_schema", "schema": schema}
    for body in ({"output_config": {"format": form}}, {"output_format": form}):
        _, message = send(connection, PATH, {**REQUEST, **body})
        assert json.loads(message["content"][0]["text"]) == {"city": "example"}


def test_a_legacy_completion(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    request = {"model": "claude-2", "prompt": "Hi", "max_tokens_to_sample": 9}
    completion = {"type": "completion", "id": "c", "completion": "Sunny today.", "stop": None}
    model.script(Response("Sunny today.", id="c"), Response("Sunny today.", id="c"))
    whole = {**completion, "stop_reason": "stop_sequence", "model": "claude-2"}
    assert send(connection, "/v1/complete", request) == (200, whole)
    received = events(connection, "/v1/complete", {**request, "stream": True})
    assert "".join(data["completion"] for _, data in received) == "Sunny today."
    assert [data["stop_reason"] for _, data in received] == [None, None, "stop_sequence"]
    assert (model.ledger.requests, model.ledger.input_tokens) == (2, 0)


def test_the_paths_of_vertex_ai(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    path = "/v1/projects/p/locations/l/publishers/anthropic/models/claude@1:"
    body = {name: value for name, value in REQUEST.items() if name != "model"}
    model.script(RESPONSE, RESPONSE)
    _, message = send(connection, f"{path}rawPredict", body)
    assert (message["model"], message["usage"]) == ("claude@1", BILL)
    received = events(connection, f"{path}streamRawPredict", {**body, "stream": True})
    assert received[-1][0] == "message_stop"
