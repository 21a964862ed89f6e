"""Responses of the scripted model: their events, background, retrieval and follow-ups."""

from __future__ import annotations

import http.client
from typing import Any

import pytest
from scripted_wire import events, send

from otel_agents.testing.scripted_model import ErrorEvent, Response, ScriptedModel, ToolCall, Usage

STARTED = ["created", "in_progress"]
MESSAGE = [
    "output_item.added",
    "content_part.added",
    "output_text.delta",
    "output_text.delta",
    "output_text.done",
    "content_part.done",
    "output_item.done",
]
REASONING = [
    "output_item.added",
    "reasoning_summary_part.added",
    "reasoning_summary_text.delta",
    "reasoning_summary_text.done",
    "reasoning_summary_part.done",
    "output_item.done",
]
CALL = [
    "output_item.added",
    "function_call_arguments.delta",
    "function_call_arguments.done",
    "output_item.done",
]
REFUSAL = [
    "output_item.added",
    "content_part.added",
    "refusal.delta",
    "refusal.done",
    "content_part.done",
    "output_item.done",
]


@pytest.mark.parametrize(
    ("response", "expected"),
    [
        (Response("Good day"), [*STARTED, *MESSAGE, "completed"]),
        (Response("Good day", reasoning="Hm"), [*STARTED, *REASONING, *MESSAGE, "completed"]),
        (Response(tool_calls=[ToolCall("f")]), [*STARTED, *CALL, "completed"]),
        (Response(refusal="No"), [*STARTED, *REFUSAL, "completed"]),
        (Response("Good day", finish_reason="length"), [*STARTED, *MESSAGE, "incomplete"]),
        (Response(finish_reason="error"), [*STARTED, "failed"]),
    ],
    ids=["text", "reasoning", "tool", "refusal", "incomplete", "failed"],
)
def test_events_of_a_response_come_in_the_providers_order(
    model: ScriptedModel,
    connection: http.client.HTTPConnection,
    response: Response,
    expected: list[str],
) -> None:
    model.script(response)
    got = events(connection, "/v1/responses", {"model": "gpt-5", "input": "Hi", "stream": True})
    assert [name for name, _ in got] == [f"response.{name}" for name in expected]
    assert [data["type"] for _, data in got] == [name for name, _ in got]
    assert [data["sequence_number"] for _, data in got] == list(range(len(got)))
    (entry,) = model.ledger.entries
    assert got[-1][1]["response"]["usage"]["input_tokens"] == entry.input_tokens


def test_error_event_of_a_response_is_numbered(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Response(fault=ErrorEvent(after=2, code="server_error", message="Sorry.")))
    got = events(connection, "/v1/responses", {"model": "gpt-5", "input": "Hi", "stream": True})
    error = {"type": "error", "code": "server_error", "message": "Sorry.", "param": None}
    assert got[2:] == [("error", {**error, "sequence_number": 2})]


def test_background_response_is_billed_once_by_the_fetch_that_reports_it(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Response("Done.", fetches=1, usage=Usage(70, 30)))
    _, queued = send(connection, "/v1/responses", {"model": "m", "input": "Hi", "background": True})
    path = f"/v1/responses/{queued['id']}"
    got = [queued, *(send(connection, path)[1] for _ in range(3))]
    assert [it["status"] for it in got] == ["queued", "in_progress", "completed", "completed"]
    assert [bool(it["usage"]) for it in got] == [False, False, True, True]
    billed = [(entry.api, entry.status.value) for entry in model.ledger.entries]
    assert billed == [
        ("responses", "unbilled"),
        ("responses.retrieve", "unbilled"),
        ("responses.retrieve", "billed"),
        ("responses.retrieve", "unbilled"),
    ]
    assert (model.ledger.input_tokens, model.ledger.output_tokens) == (70, 30)


def test_background_stream_is_resumed_after_a_number(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    body = {"model": "m", "input": "Hi", "background": True, "stream": True}
    whole = events(connection, "/v1/responses", body)
    assert [name for name, _ in whole[:3]] == [
        "response.created",
        "response.queued",
        "response.in_progress",
    ]
    response_id = whole[0][1]["response"]["id"]
    rest = events(connection, f"/v1/responses/{response_id}?stream=true&starting_after=4", None)
    assert rest == whole[5:]


def test_cancelled_response_has_no_usage(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    _, queued = send(connection, "/v1/responses", {"model": "m", "input": "Hi", "background": True})
    path = f"/v1/responses/{queued['id']}"
    assert send(connection, f"{path}/cancel", {})[1]["status"] == "cancelled"
    got = send(connection, path)[1]
    assert (got["status"], got["usage"]) == ("cancelled", None)
    assert model.ledger.bill.billed == 0


def test_unstored_response_is_unknown(connection: http.client.HTTPConnection) -> None:
    _, first = send(connection, "/v1/responses", {"model": "m", "input": "Hi"})
    _, unstored = send(connection, "/v1/responses", {"model": "m", "input": "Hi", "store": False})
    follow = {"model": "m", "input": "And?"}
    _, second = send(connection, "/v1/responses", {**follow, "previous_response_id": first["id"]})
    assert second["previous_response_id"] == first["id"]
    status, body = send(
        connection, "/v1/responses", {**follow, "previous_response_id": unstored["id"]}
    )
    assert (status, body["error"]["code"]) == (400, "previous_response_not_found")
    assert send(connection, f"/v1/responses/{unstored['id']}")[0] == 404


def test_tools_of_a_response_are_called_until_there_is_a_result(
    connection: http.client.HTTPConnection,
) -> None:
    schema = {"type": "object", "properties": {"city": {"enum": ["Bern", "Rome"]}}}
    body: dict[str, Any] = {
        "model": "gpt-5",
        "tools": [{"type": "function", "name": "weather", "parameters": schema}],
    }
    _, first = send(connection, "/v1/responses", {**body, "input": "Weather?"})
    (call,) = first["output"]
    assert (call["name"], call["arguments"]) == ("weather", '{"city": "Bern"}')
    result = {"type": "function_call_output", "call_id": call["call_id"], "output": "sunny"}
    _, last = send(connection, "/v1/responses", {**body, "input": [result]})
    assert [item["type"] for item in last["output"]] == ["message"]
