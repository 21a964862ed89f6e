"""The scripted model as Mistral's API: what it sends, and what it bills."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from scripted_wire import events, send

from otel_agents.testing.scripted_model import (
    ErrorEvent,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
    Usage,
)

REQUEST: Any = {"model": "mistral-small", "messages": [{"role": "user", "content": "Hi"}]}
RESPONSE = Response(
    "Sunny today.",
    reasoning="Look outside.",
    tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_1")],
    id="cmpl_1",
    usage=Usage(50, 20, cached_tokens=30),
)
BILL = {
    "prompt_tokens": 50,
    "completion_tokens": 20,
    "total_tokens": 70,
    "prompt_tokens_details": {"cached_tokens": 30},
}
THOUGHT = {"type": "thinking", "thinking": [{"type": "text", "text": "Look outside."}]}
CALL = {
    "id": "call_1",
    "type": "function",
    "function": {"name": "weather", "arguments": '{"city": "Bern"}'},
    "index": 0,
}


@pytest.mark.parametrize(
    ("path", "api"),
    [
        ("/mistral/v1/chat/completions", "chat.completions"),
        ("/mistral/v1/agents/completions", "agents.completions"),
        ("/mistral/models/chat/completions", "chat.completions"),
        ("/v1/projects/p/locations/r/publishers/mistralai/models/m@2:rawPredict", "vertex"),
    ],
)
def test_a_completion(
    path: str, api: str, model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(RESPONSE)
    status, body = send(connection, path, REQUEST)
    assert (status, body["id"], body["usage"]) == (200, "cmpl_1", BILL)
    (choice,) = body["choices"]
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"] == {
        "role": "assistant",
        "content": [THOUGHT, {"type": "text", "text": "Sunny today."}],
        "tool_calls": [CALL],
        "prefix": False,
    }
    (entry,) = model.ledger.entries
    expected = ("chat.completions", "m") if api == "vertex" else (api, "mistral-small")
    assert (entry.api, entry.model) == expected
    assert (entry.input_tokens, entry.output_tokens, entry.cached_tokens) == (50, 20, 30)


def test_a_streamed_completion(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(RESPONSE)
    request = {**REQUEST, "stream": True}
    found = events(connection, "/mistral/v1/chat/completions", request)
    *received, done = [data for _, data in found]
    assert done == "[DONE]"
    deltas = [data["choices"][0]["delta"] for data in received]
    texts = [it["content"] for it in deltas if isinstance(it["content"], str)]
    assert "".join(texts) == "Sunny today."
    assert [it["tool_calls"] for it in deltas if "tool_calls" in it] == [[CALL]]
    assert received[-1]["usage"] == BILL
    assert received[-1]["choices"][0]["finish_reason"] == "tool_calls"
    assert model.ledger.input_tokens == 50


def test_an_error(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Failure(429, "3505", "Too many", kind="capacity_exceeded"))
    assert send(connection, "/mistral/v1/chat/completions", REQUEST) == (
        429,
        {
            "object": "error",
            "message": "Too many",
            "type": "capacity_exceeded",
            "param": None,
            "code": "3505",
        },
    )


CONVERSATION = "/mistral/v1/conversations"
SEARCH: dict[str, Any] = {
    "type": "tool.execution",
    "id": "t1",
    "name": "web_search",
    "arguments": "{}",
    "info": {},
}
CONVERSED = Response(
    "Sunny today.", items=[SEARCH], id="conv_1", usage=Usage(50, 20, cache_write_tokens=15)
)
CONVERSATION_BILL = {
    "prompt_tokens": 35,
    "completion_tokens": 20,
    "total_tokens": 70,
    "connector_tokens": 15,
    "connectors": {"web_search": 1},
}


def test_a_conversation(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(CONVERSED)
    request = {"model": "mistral-small", "inputs": "Hi"}
    status, body = send(connection, CONVERSATION, request)
    assert (status, body["conversation_id"], body["usage"]) == (200, "conv_1", CONVERSATION_BILL)
    assert [entry["type"] for entry in body["outputs"]] == ["tool.execution", "message.output"]
    _, body = send(connection, f"{CONVERSATION}/conv_1", {"inputs": "Again?"})
    assert body["conversation_id"] == "conv_1"
    restart = {"inputs": "Again?", "from_entry_id": "e"}
    _, body = send(connection, f"{CONVERSATION}/conv_1/restart", restart)
    assert body["conversation_id"] != "conv_1"
    apis = [entry.api for entry in model.ledger.entries]
    assert apis == ["conversations.start", "conversations.append", "conversations.restart"]
    assert model.ledger.entries[0].input_tokens == 50


def test_a_streamed_conversation(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(CONVERSED)
    request = {"model": "mistral-small", "inputs": "Hi", "stream": True}
    received = events(connection, CONVERSATION, request)
    assert all(name == data["type"] for name, data in received)
    names = [name for name, _ in received]
    assert names == [
        "conversation.response.started",
        "tool.execution.started",
        "tool.execution.delta",
        "tool.execution.done",
        *["message.output.delta"] * 2,
        "conversation.response.done",
    ]
    assert received[-1][1]["usage"] == CONVERSATION_BILL


def test_an_error_event(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Response("one two", fault=ErrorEvent(1, message="Overloaded.")))
    request = {"model": "mistral-small", "inputs": "Hi", "stream": True}
    received = events(connection, CONVERSATION, request)
    error = {"type": "conversation.response.error", "message": "Overloaded.", "code": 3000}
    assert received[-1] == ("conversation.response.error", error)
    assert model.ledger.input_tokens == 0


def test_a_verdict(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script("It helps.")
    path = "/mistral/v1/observability/judges/1/live-judging"
    messages: dict[str, Any] = {"messages": [{"role": "user", "content": "Hi"}]}
    _, verdict = send(connection, path, messages)
    assert verdict == {"analysis": "It helps.", "answer": "good"}
    assert [entry.input_tokens for entry in model.ledger.entries] == [0]


def test_documents_embeddings_and_audio(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(*[Response("Page one.", usage=Usage(9, 4))] * 4)
    _, pages = send(connection, "/mistral/v1/ocr", {"model": "ocr", "document": {}})
    assert [page["markdown"] for page in pages["pages"]] == ["Page one."]
    texts: dict[str, Any] = {"model": "embed", "input": ["a", "b"], "output_dimension": 8}
    _, vectors = send(connection, "/mistral/v1/embeddings", texts)
    assert [len(it["embedding"]) for it in vectors["data"]] == [8, 8]
    _, text = send(connection, "/mistral/v1/audio/transcriptions", {"model": "voxtral"})
    assert (text["text"], text["usage"]["prompt_audio_seconds"]) == ("Page one.", 3)
    _, spoken = send(connection, "/mistral/v1/audio/speech", {"model": "voxtral", "input": "Hi"})
    assert set(spoken) == {"audio_data"}
    assert [entry.input_tokens for entry in model.ledger.entries] == [0, 9, 9, 0]
