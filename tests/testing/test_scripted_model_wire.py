"""The scripted model over plain HTTP, without an SDK."""

from __future__ import annotations

import http.client
import json
import subprocess
import sys
import time
from typing import Any
from urllib.request import urlopen

import pytest
from scripted_wire import events, send

from otel_agents.testing import scripted_model
from otel_agents.testing.scripted_model import Response, ScriptedModel


@pytest.mark.parametrize(
    ("schema", "expected"),
    [
        (
            {
                "$defs": {"Leaf": {"type": "object", "properties": {"n": {"type": "integer"}}}},
                "type": "object",
                "properties": {
                    "leaf": {"$ref": "#/$defs/Leaf"},
                    "maybe": {"anyOf": [{"type": "null"}, {"type": "number", "minimum": 3}]},
                    "flags": {"type": "array", "items": {"type": "boolean"}},
                    "kind": {"type": ["string", "null"], "format": "date"},
                    "fixed": {"const": 7},
                },
            },
            {
                "leaf": {"n": 1},
                "maybe": 3,
                "flags": [True],
                "kind": "2026-01-31",
                "fixed": 7,
            },
        ),
        ({"type": "array", "items": {"type": "null"}}, [None]),
    ],
    ids=["object", "array"],
)
def test_response_to_a_schema_is_an_instance(
    connection: http.client.HTTPConnection, schema: Any, expected: Any
) -> None:
    form = {"type": "json_schema", "name": "it", "schema": schema}
    request = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    in_chat = {**request, "response_format": {"type": "json_schema", "json_schema": form}}
    _, chat = send(connection, "/v1/chat/completions", in_chat)
    _, response = send(
        connection, "/v1/responses", {"model": "m", "input": "Hi", "text": {"format": form}}
    )
    assert json.loads(chat["choices"][0]["message"]["content"]) == expected
    assert json.loads(response["output"][0]["content"][0]["text"]) == expected


def test_legacy_functions_are_called_as_functions(connection: http.client.HTTPConnection) -> None:
    body: dict[str, Any] = {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "functions": [{"name": "weather", "parameters": {}}],
    }
    _, got = send(connection, "/v1/chat/completions", body)
    choice = got["choices"][0]
    assert choice["finish_reason"] == "function_call"
    assert choice["message"]["function_call"] == {"name": "weather", "arguments": "{}"}


def test_reasoning_and_audio_of_a_chat(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    model.script(Response("Hello.", reasoning="Hm.", audio=b"hello"))
    body: Any = {"model": "m", "messages": [{"role": "user", "content": "Hi"}]}
    message = send(connection, "/v1/chat/completions", body)[1]["choices"][0]["message"]
    assert message["reasoning_content"] == "Hm."
    assert (message["audio"]["data"], message["audio"]["transcript"]) == ("aGVsbG8=", "Hello.")


def test_streamed_image_reports_image_tokens_at_the_end(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    body = {"model": "gpt-image-1", "prompt": "A cat", "stream": True, "partial_images": 1}
    got = events(connection, "/v1/images/generations", body)
    names = ["image_generation.partial_image", "image_generation.completed"]
    assert [name for name, _ in got] == names
    (entry,) = model.ledger.entries
    usage = got[-1][1]["usage"]
    assert usage["output_tokens_details"] == {"image_tokens": entry.output_tokens, "text_tokens": 0}


def test_streamed_speech_and_transcript_report_audio_tokens(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    spoken = {"model": "gpt-4o-mini-tts", "voice": "alloy", "input": "Hi", "stream_format": "sse"}
    speech = events(connection, "/v1/audio/speech", spoken)
    audio = {"model": "gpt-4o-transcribe", "stream": True}
    transcript = events(connection, "/v1/audio/transcriptions", audio)
    assert [it["type"] for _, it in speech] == [*["speech.audio.delta"] * 2, "speech.audio.done"]
    assert transcript[-2][1]["type"] == "transcript.text.done"
    received = [speech[-1][1]["usage"], transcript[-2][1]["usage"]]
    billed = [(it.input_tokens, it.output_tokens) for it in model.ledger.entries]
    assert [(it["input_tokens"], it["output_tokens"]) for it in received] == billed
    assert received[1]["input_token_details"]["audio_tokens"] == billed[1][0]


def test_connection_is_kept_alive(connection: http.client.HTTPConnection) -> None:
    connection.connect()
    socket = connection.sock
    for _ in range(3):
        status, _ = send(connection, "/v1/chat/completions", {"model": "m", "messages": []})
        assert (status, connection.sock) == (200, socket)


def test_chunks_are_not_held_back(connection: http.client.HTTPConnection) -> None:
    """Nagle's algorithm would delay small chunks by 40 ms or more."""
    body: Any = {"model": "m", "messages": [], "stream": True}
    seconds: list[float] = []
    for _ in range(20):
        started = time.perf_counter()
        events(connection, "/v1/chat/completions", body)
        seconds.append(time.perf_counter() - started)
    assert min(seconds) < 0.035  # the fastest one: the others may share a busy machine


def test_unknown_path_and_broken_json_are_refused_in_a_sentence(
    connection: http.client.HTTPConnection,
) -> None:
    status, body = send(connection, "/v1/threads", {})
    assert (status, body["error"]["message"]) == (404, "The scripted model has no POST /v1/threads")
    connection.request("POST", "/v1/embeddings", "{")
    response = connection.getresponse()
    assert response.status == 400
    assert json.loads(response.read())["error"]["message"].startswith("The request is not JSON")


def test_models_are_listed(connection: http.client.HTTPConnection) -> None:
    _, listed = send(connection, "/v1/models")
    assert "gpt-4o-mini" in [it["id"] for it in listed["data"]]
    assert send(connection, "/v1/models/any")[1]["id"] == "any"


def test_cleared_ledger_starts_empty_but_counts_on(
    model: ScriptedModel, connection: http.client.HTTPConnection
) -> None:
    for _ in range(2):
        model.ledger.clear()
        send(connection, "/v1/embeddings", {"model": "m", "input": "a"})
    assert [entry.number for entry in model.ledger.entries] == [1]
    with pytest.raises(TimeoutError, match="1 of 2 requests within 0 s"):
        model.ledger.wait(2, timeout=0)


def test_requests_are_dropped_on_demand() -> None:
    with ScriptedModel(keep_requests=False) as model:
        connection = http.client.HTTPConnection("127.0.0.1", model.port)
        send(connection, "/v1/embeddings", {"model": "m", "input": "a"})
        connection.close()
        (entry,) = model.ledger.entries
        assert (entry.headers, entry.body, entry.input_tokens > 0) == ({}, {}, True)


def test_stopped_model_has_no_port() -> None:
    with pytest.raises(RuntimeError, match="is not running"):
        _ = ScriptedModel().base_url
    with ScriptedModel() as model, pytest.raises(RuntimeError, match="was started before"):
        model.start()


def test_program_prints_its_url_and_serves() -> None:
    command = [sys.executable, "-m", scripted_model.__name__, "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        with urlopen(f"{url}/v1/models") as response:
            assert response.status == 200
        process.terminate()


def test_program_reports_a_taken_port(model: ScriptedModel) -> None:
    command = [sys.executable, "-m", scripted_model.__name__, "--port", str(model.port)]
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    assert result.returncode == 1
    assert result.stderr.startswith(f"Cannot listen on port {model.port}: ")
    assert result.stderr.count("\n") == 1
