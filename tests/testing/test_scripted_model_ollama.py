"""The scripted model as Ollama's own API: what it sends, and what it bills."""

from __future__ import annotations

import http.client
import json
from typing import Any

import pytest
from scripted_wire import send

from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    Failure,
    Kind,
    Response,
    ScriptedModel,
    Status,
    ToolCall,
    Usage,
)

PROMPT: Any = {"model": "llama3.2", "stream": False, "prompt": "Hi"}
REQUEST: Any = {
    "model": "llama3.2",
    "stream": False,
    "messages": [{"role": "user", "content": "Hi"}],
}
RESPONSE = Response(
    "Sunny today.",
    reasoning="Look outside.",
    tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_1")],
    usage=Usage(50, 20, cached_tokens=30, reasoning_tokens=5),
)
CALL = {"id": "call_1", "function": {"index": 0, "name": "weather", "arguments": {"city": "Bern"}}}
DURATIONS = ("total_duration", "load_duration", "prompt_eval_duration", "eval_duration")
END: dict[str, Any] = {
    "done": True,
    "done_reason": "stop",
    **dict.fromkeys(DURATIONS, 250_000_000),
    "prompt_eval_count": 50,
    "eval_count": 20,
}


def lines(connection: http.client.HTTPConnection, path: str, body: Any) -> list[Any]:
    """Return the lines of a stream, without the fields that each has."""
    connection.request("POST", path, json.dumps({**body, "stream": True}))
    response = connection.getresponse()
    assert response.headers["Content-Type"] == "application/x-ndjson"
    found = [json.loads(line) for line in response.read().splitlines()]
    return [
        {name: part[name] for name in part if name not in ("model", "created_at")} for part in found
    ]


def test_a_chat(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    status, body = send(connection, "/api/chat", REQUEST)
    assert body.pop("created_at").endswith("Z")
    assert (status, body) == (
        200,
        {
            "model": "llama3.2",
            "message": {
                "role": "assistant",
                "content": "Sunny today.",
                "thinking": "Look outside.",
                "tool_calls": [CALL],
            },
            **END,
        },
    )
    (entry,) = model.ledger.entries
    assert (entry.api, entry.model, entry.kind) == ("chat", "llama3.2", Kind.INFERENCE)
    assert entry.billed == Usage(50, 20)


def test_a_streamed_chat(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    parts: list[Any] = [
        {"content": "", "thinking": "Look "},
        {"content": "", "thinking": "outside."},
        {"content": "Sunny "},
        {"content": "today."},
        {"content": "", "tool_calls": [CALL]},
    ]
    assert lines(connection, "/api/chat", REQUEST) == [
        *({"message": {"role": "assistant", **part}, "done": False} for part in parts),
        {"message": {"role": "assistant", "content": ""}, **END},
    ]
    (entry,) = model.ledger.wait(1, ended=True).entries
    assert (entry.streamed, entry.billed) == (True, Usage(50, 20))


def test_a_completion(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(*[Response("Sunny today.", usage=Usage(50, 20))] * 2)
    _, body = send(connection, "/api/generate", {**PROMPT, "system": "Be brief."})
    assert body["response"] == "Sunny today."
    assert lines(connection, "/api/generate", PROMPT) == [
        {"response": "Sunny ", "done": False},
        {"response": "today.", "done": False},
        {"response": "", **END},
    ]
    assert [entry.api for entry in model.ledger.entries] == ["generate", "generate"]
    assert model.ledger.input_tokens == 100


def test_what_a_script_reads(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    schema: Any = {"type": "object", "properties": {"n": {"type": "integer"}}}
    declared: Any = {"name": "weather", "parameters": {"type": "object", "properties": {}}}
    seen: list[Any] = []

    def script(request: Any) -> Response:
        names = [tool.name for tool in request.tools]
        seen.append((request.prompt, names, request.has_tool_result, request.schema))
        return Response()

    model.script_by(script)
    result = {"role": "tool", "tool_name": "weather", "content": "sunny"}
    messages = [*REQUEST["messages"], result]
    tools = [{"type": "function", "function": declared}]
    send(connection, "/api/chat", {**REQUEST, "messages": messages, "tools": tools})
    send(connection, "/api/chat", {**REQUEST, "format": schema})
    send(connection, "/api/generate", {**PROMPT, "system": "Be brief.", "format": "json"})
    assert seen == [
        ("Hi\nsunny", ["weather"], True, None),
        ("Hi", [], False, schema),
        ("Be brief.\nHi", [], False, {"type": "object"}),
    ]


def test_embeddings(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(*[Response(usage=Usage(9, 4))] * 2)
    texts: dict[str, Any] = {"model": "nomic-embed-text", "input": ["a", "b"], "dimensions": 8}
    _, body = send(connection, "/api/embed", texts)
    assert [len(vector) for vector in body["embeddings"]] == [8, 8]
    assert body["prompt_eval_count"] == 9
    _, body = send(connection, "/api/embed", {"model": "nomic-embed-text", "input": "a"})
    assert [len(vector) for vector in body["embeddings"]] == [64]
    bill = model.ledger.only(Kind.EMBEDDINGS)
    assert [entry.billed for entry in bill.entries] == [Usage(9), Usage(9)]


def test_errors(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(
        Failure(404, message="model 'llama3.2' not found"),
        Response("one two", fault=ErrorEvent(1, message="Out of memory.")),
    )
    missing = send(connection, "/api/chat", REQUEST)
    assert missing == (404, {"error": "model 'llama3.2' not found"})
    assert lines(connection, "/api/chat", REQUEST)[-1] == {"error": "Out of memory."}
    assert [entry.status for entry in model.ledger.entries] == [Status.FAILED, Status.FAILED]


def test_a_broken_stream(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Response("one two", fault=Abort(after=1)))
    with pytest.raises(http.client.IncompleteRead):
        lines(connection, "/api/chat", REQUEST)
    assert model.ledger.input_tokens == 0


def test_usage_is_left_out(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Response("Sunny.", include_usage=False, finish_reason="length"))
    _, body = send(connection, "/api/chat", REQUEST)
    assert body["done_reason"] == "length"
    assert not {"prompt_eval_count", "eval_count"} & set(body)
    assert model.ledger.entries[0].status is Status.UNBILLED
