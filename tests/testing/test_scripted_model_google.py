"""The scripted model as Google's Gemini API: what it sends, and what it bills."""

from __future__ import annotations

import http.client
from typing import Any

from scripted_wire import events, send

from otel_agents.testing.scripted_model import (
    ErrorEvent,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
)
from otel_agents.testing.scripted_model import Usage as Tokens

PATH = "/v1beta/models/gemini-2.5-flash:generateContent"
STREAM = "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse"
REQUEST: Any = {"contents": [{"role": "user", "parts": [{"text": "Hi"}]}]}
RESPONSE = Response(
    "Sunny today.",
    reasoning="Look outside.",
    tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call-1")],
    id="resp-1",
    usage=Tokens(50, 20, cached_tokens=30, reasoning_tokens=5),
)
CALL = {"functionCall": {"id": "call-1", "name": "weather", "args": {"city": "Bern"}}}
BILL = {
    "promptTokenCount": 50,
    "candidatesTokenCount": 15,
    "totalTokenCount": 70,
    "cachedContentTokenCount": 30,
    "thoughtsTokenCount": 5,
}


def test_content(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    parts = [{"text": "Look outside.", "thought": True}, {"text": "Sunny today."}, CALL]
    content = {"role": "model", "parts": parts}
    assert send(connection, PATH, REQUEST) == (
        200,
        {
            "candidates": [{"content": content, "index": 0, "finishReason": "STOP"}],
            "modelVersion": "gemini-2.5-flash",
            "responseId": "resp-1",
            "usageMetadata": BILL,
        },
    )
    (entry,) = model.ledger.entries
    assert (entry.api, entry.model, entry.streamed) == (
        "generate_content",
        "gemini-2.5-flash",
        False,
    )
    assert (entry.response_id, entry.input_tokens, entry.output_tokens) == ("resp-1", 50, 20)


def test_streamed_content(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    chunks = [data for _, data in events(connection, STREAM, REQUEST)]
    parts = [chunk["candidates"][0]["content"]["parts"][0] for chunk in chunks]
    texts = "".join(part.get("text", "") for part in parts if not part.get("thought"))
    assert (texts, parts[-1]) == ("Sunny today.", CALL)
    so_far = {"promptTokenCount": 50, "candidatesTokenCount": 1}
    assert [chunk["usageMetadata"] for chunk in chunks] == [so_far] * (len(chunks) - 1) + [BILL]
    reasons = [chunk["candidates"][0].get("finishReason") for chunk in chunks]
    assert reasons == [None] * (len(chunks) - 1) + ["STOP"]
    (entry,) = model.ledger.entries
    assert (entry.streamed, entry.input_tokens, entry.output_tokens) == (True, 50, 20)


def test_by_default_a_tool_is_called_once_and_a_schema_kept(
    connection: http.client.HTTPConnection,
) -> None:
    schema = {"type": "OBJECT", "properties": {"city": {"type": "STRING"}}}
    tools = [{"functionDeclarations": [{"name": "weather", "parameters": schema}]}]
    _, first = send(connection, PATH, {**REQUEST, "tools": tools})
    (part,) = first["candidates"][0]["content"]["parts"]
    assert part["functionCall"]["args"] == {"city": "example"}
    result = {"functionResponse": {"name": "weather", "response": {"result": "Sunny."}}}
    contents = [*REQUEST["contents"], {"role": "user", "parts": [result]}]
    _, last = send(connection, PATH, {"contents": contents, "tools": tools})
    assert "text" in last["candidates"][0]["content"]["parts"][0]
    barred = {"functionCallingConfig": {"mode": "NONE"}}
    _, none = send(connection, PATH, {**REQUEST, "tools": tools, "toolConfig": barred})
    assert "text" in none["candidates"][0]["content"]["parts"][0]
    config = {"generationConfig": {"responseSchema": schema}}
    _, made = send(connection, PATH, {**REQUEST, **config})
    assert made["candidates"][0]["content"]["parts"] == [{"text": '{"city": "example"}'}]


def test_failures_are_spelled_as_the_provider_does(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Failure(429, message="busy"))
    error = {"error": {"code": 429, "message": "busy", "status": "RESOURCE_EXHAUSTED"}}
    assert send(connection, PATH, REQUEST) == (429, error)
    model.script(Response(fault=ErrorEvent(1, "UNAVAILABLE", "busy")))
    received = events(connection, STREAM, REQUEST)
    error = {"error": {"code": 503, "message": "busy", "status": "UNAVAILABLE"}}
    assert received[1:] == [("", error)]
    assert (model.ledger.requests, model.ledger.input_tokens) == (2, 0)
