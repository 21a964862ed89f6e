"""The scripted model as Groq's chat completions: what it sends, and what it bills."""

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

PATH = "/groq/openai/v1/chat/completions"
REQUEST: Any = {"model": "groq/compound", "messages": [{"role": "user", "content": "Hi"}]}
STREAM: Any = {**REQUEST, "stream": True}
SEARCH = {"index": 0, "type": "search", "arguments": '{"query": "x"}', "output": "Found."}
CITATION = {
    "type": "function_citation",
    "function_citation": {"tool_call_id": "0", "start_index": 0, "end_index": 5},
}
RESPONSE = Response(
    "Sunny today.",
    reasoning="Look outside.",
    items=[SEARCH, CITATION],
    id="chatcmpl-1",
    usage=Tokens(50, 20, cached_tokens=30, reasoning_tokens=5),
)
TIMES = {"queue_time": 0.02, "prompt_time": 0.01, "completion_time": 0.03, "total_time": 0.04}


def usage_in(holder: Any) -> dict[str, Any]:
    """Take the usage, check its shape, and return its numbers."""
    usage = holder.pop("usage")
    inputs, outputs = usage.pop("prompt_tokens_details"), usage.pop("completion_tokens_details")
    assert {name: usage.pop(name) for name in TIMES} == TIMES
    return {**usage, "cached": inputs["cached_tokens"], "reasoning": outputs["reasoning_tokens"]}


BILL = {
    "prompt_tokens": 50,
    "completion_tokens": 20,
    "total_tokens": 70,
    "cached": 30,
    "reasoning": 5,
}


def test_a_completion(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(RESPONSE)
    status, completion = send(connection, PATH, REQUEST)
    assert (status, usage_in(completion)) == (200, BILL)
    assert completion.pop("x_groq")["id"].startswith("req_")
    assert completion.pop("created") > 0
    message = {
        "role": "assistant",
        "content": "Sunny today.",
        "reasoning": "Look outside.",
        "executed_tools": [SEARCH],
        "annotations": [CITATION],
    }
    assert completion == {
        "id": "chatcmpl-1",
        "object": "chat.completion",
        "model": "groq/compound",
        "service_tier": "on_demand",
        "system_fingerprint": "fp_scripted",
        "choices": [{"index": 0, "message": message, "logprobs": None, "finish_reason": "stop"}],
    }
    (entry,) = model.ledger.entries
    assert (entry.api, entry.model) == ("chat.completions", "groq/compound")
    assert (entry.response_id, entry.input_tokens, entry.output_tokens) == ("chatcmpl-1", 50, 20)


def test_a_stream_reports_usage_in_its_last_chunk(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(RESPONSE)
    *chunks, (_, done) = events(connection, PATH, STREAM)
    sent = [chunk for _, chunk in chunks]
    assert done == "[DONE]"
    assert [chunk["choices"][0]["delta"] for chunk in sent] == [
        {"role": "assistant", "content": ""},
        {"executed_tools": [{key: SEARCH[key] for key in ("index", "type", "arguments")}]},
        {"executed_tools": [SEARCH]},
        {"reasoning": "Look "},
        {"reasoning": "outside."},
        {"content": "Sunny "},
        {"content": "today."},
        {"annotations": [CITATION]},
        {},
    ]
    assert usage_in(sent[-1]["x_groq"]) == BILL
    assert sent[-1]["x_groq"] == sent[0]["x_groq"]
    assert {str(chunk.get("x_groq")) for chunk in sent[1:-1]} == {"None"}
    assert (model.ledger.bill.billed, model.ledger.input_tokens) == (1, 50)


def test_a_stream_reports_requested_usage_once_more(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(RESPONSE)
    request = {**STREAM, "stream_options": {"include_usage": True}}
    *_, (_, last), _ = events(connection, PATH, request)
    assert (last["choices"], usage_in(last)) == ([], BILL)
    assert (model.ledger.bill.billed, model.ledger.input_tokens) == (1, 50)


def test_tool_calls(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(Response(tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_1")]))
    _, completion = send(connection, PATH, REQUEST)
    (choice,) = completion["choices"]
    function = {"name": "weather", "arguments": '{"city": "Bern"}'}
    assert choice["finish_reason"] == "tool_calls"
    assert choice["message"]["tool_calls"] == [
        {"id": "call_1", "type": "function", "function": function}
    ]


def test_errors(model: ScriptedModel, connection: http.client.HTTPConnection) -> None:
    model.script(
        Failure(400, "tool_use_failed", "No."), Response("one two", fault=ErrorEvent(1, "c", "m"))
    )
    assert send(connection, PATH, REQUEST) == (
        400,
        {"error": {"message": "No.", "type": "invalid_request_error", "code": "tool_use_failed"}},
    )
    *_, (name, last) = events(connection, PATH, STREAM)
    error = {"message": "m", "type": "internal_server_error", "code": "c"}
    assert (name, last) == ("error", {"error": error})
