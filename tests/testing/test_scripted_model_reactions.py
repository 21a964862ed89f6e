"""The scripted model's responses: by script, by function, by the default rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openai
import pytest

from otel_agents.testing.scripted_model import (
    DEFAULT_TEXT,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
    Usage,
)

MESSAGES: Any = [{"role": "user", "content": "What is the weather?"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
UPLOAD = ("speech.mp3", b"\x00\x01", "audio/mpeg")


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=model.openai_url, api_key="none") as client:
        yield client


def chat(client: Any, **more: Any) -> Any:
    return client.chat.completions.create(model="gpt-4o-mini", messages=MESSAGES, **more)


def parts(chunk: Any) -> list[Any]:
    return list(chunk.choices[0].delta.tool_calls or ())


def test_scripted_response_reaches_the_client_whole(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    model.script(
        Response(
            "Sunny.",
            tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_1")],
            finish_reason="length",
            usage=Usage(50, 20, cached_tokens=30, reasoning_tokens=8),
            id="chatcmpl-1",
            model="gpt-4o-mini-next",
            system_fingerprint="fp_1",
            service_tier="priority",
            extra={"citations": ["https://example.com/"]},
            choices=2,
        )
    )
    got = chat(client).model_dump()
    call = {
        "id": "call_1",
        "type": "function",
        "function": {"name": "weather", "arguments": '{"city": "Bern"}'},
    }
    for choice in got["choices"]:
        assert (choice["message"]["content"], choice["finish_reason"]) == ("Sunny.", "length")
        assert choice["message"]["tool_calls"] == [call]
    assert [choice["index"] for choice in got["choices"]] == [0, 1]
    assert (got["id"], got["model"]) == ("chatcmpl-1", "gpt-4o-mini-next")
    assert (got["system_fingerprint"], got["service_tier"]) == ("fp_1", "priority")
    assert got["citations"] == ["https://example.com/"]
    assert got["usage"]["prompt_tokens_details"]["cached_tokens"] == 30
    assert got["usage"]["completion_tokens_details"]["reasoning_tokens"] == 8
    (entry,) = model.ledger.entries
    assert entry.reported == Usage(50, 20, cached_tokens=30, reasoning_tokens=8)


def test_streamed_tool_call_adds_up_to_the_scripted_one(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    model.script(Response(tool_calls=[ToolCall("a", {"x": 1}), ToolCall("b", "not json")]))
    calls: dict[int, list[str]] = {}
    for chunk in chat(client, stream=True):
        for part in parts(chunk):
            calls.setdefault(part.index, []).append(
                (part.function.name or "") + part.function.arguments
            )
    assert {index: "".join(parts) for index, parts in calls.items()} == {
        0: 'a{"x": 1}',
        1: "bnot json",
    }


def test_agent_loop_by_the_default_rule(model: ScriptedModel, client: openai.OpenAI) -> None:
    """One call of the offered tool; after its result, text."""
    first = chat(client, tools=[TOOL]).choices[0]
    (call,) = first.message.tool_calls
    assert (first.finish_reason, call.function.name) == ("tool_calls", "weather")
    assert call.function.arguments == '{"city": "example"}'
    result: Any = {"role": "tool", "tool_call_id": call.id, "content": "sunny"}
    history: Any = [*MESSAGES, first.message.model_dump(exclude_none=True), result]
    last = client.chat.completions.create(model="gpt-4o", messages=history, tools=[TOOL])
    assert (last.choices[0].message.content, last.model) == (DEFAULT_TEXT, "gpt-4o-2024-08-06")


def test_prompt_can_name_the_tool_to_call(model: ScriptedModel, client: openai.OpenAI) -> None:
    tools: Any = [TOOL, {"type": "function", "function": {"name": "news"}}]
    messages: Any = [{"role": "user", "content": "Please call:news now"}]
    got = client.chat.completions.create(model="gpt-4o", messages=messages, tools=tools)
    calls: Any = got.choices[0].message.tool_calls
    assert [(call.function.name, call.function.arguments) for call in calls] == [("news", "{}")]


def test_response_may_depend_on_the_request(model: ScriptedModel, client: openai.OpenAI) -> None:
    """The queue comes first, then the function."""
    model.script("first")
    model.script_by(lambda request: Response(f"{request.model} received: {request.prompt}"))
    texts = [chat(client).choices[0].message.content for _ in range(2)]
    assert texts == ["first", "gpt-4o-mini received: What is the weather?"]


def test_failing_script_is_reported_to_its_author(
    model: ScriptedModel, client: openai.OpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: object) -> Response:
        raise LookupError("no such city")

    model.script_by(broken)
    with pytest.raises(openai.BadRequestError, match="no such city"):
        chat(client)
    assert [record.message for record in caplog.records if record.name == "otel_agents"] == [
        "The script of the scripted model failed: LookupError('no such city')"
    ]


def test_failure_is_the_status_error_of_the_sdk(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    """The SDK retries; each attempt is an entry, none is billed."""
    failure = Failure(
        429, "rate_limit_exceeded", "Slow down.", headers={"retry-after-ms": "1"}, kind="requests"
    )
    model.script(failure, failure, failure)
    with pytest.raises(openai.RateLimitError) as caught:
        client.chat.completions.create(model="gpt-4o", messages=MESSAGES)
    assert caught.value.response.headers["retry-after-ms"] == "1"
    assert caught.value.body == {
        "message": "Slow down.",
        "type": "requests",
        "param": None,
        "code": "rate_limit_exceeded",
    }
    states = [(it.status.value, it.http_status) for it in model.ledger.entries]
    assert states == [("failed", 429)] * 3
    assert model.ledger.input_tokens == 0


def test_similar_texts_have_near_vectors(model: ScriptedModel, client: openai.OpenAI) -> None:
    texts = ["cats and dogs", "dogs and cats", "stock market news"]
    forms: list[Any] = [{}, {"encoding_format": "float"}]
    by_default, as_floats = (
        [it.embedding for it in client.embeddings.create(model="e", input=texts, **form).data]
        for form in forms
    )
    cats, dogs, stocks = as_floats
    near = sum(a * b for a, b in zip(cats, dogs, strict=True))
    far = sum(a * b for a, b in zip(cats, stocks, strict=True))
    assert near == pytest.approx(1.0)
    assert far < 0.5
    for packed, plain in zip(by_default, as_floats, strict=True):
        assert packed == pytest.approx(plain)  # the SDK requests base64 by default
    small = client.embeddings.create(model="e", input="a", extra_body={"dimensions": 3})
    assert len(small.data[0].embedding) == 3


def test_upload_is_read_as_a_form(model: ScriptedModel, client: openai.OpenAI) -> None:
    model.script("Good morning.")
    got = client.audio.transcriptions.create(model="whisper-1", file=UPLOAD, language="en")
    (entry,) = model.ledger.entries
    assert got.text == "Good morning."
    assert (entry.model, entry.body["language"]) == ("whisper-1", "en")
    assert entry.body["file"] == {
        "filename": "speech.mp3",
        "content_type": "audio/mpeg",
        "size": 2,
    }


def test_speech_is_the_scripted_bytes(model: ScriptedModel, client: openai.OpenAI) -> None:
    model.script(Response(audio=b"spoken"))
    got = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello")
    assert got.content == b"spoken"


def test_headers_of_the_request_are_in_the_ledger(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    chat(client, extra_headers={"traceparent": "00-1-2-01"})
    (entry,) = model.ledger.entries
    assert entry.headers["traceparent"] == "00-1-2-01"
    assert entry.body["messages"] == MESSAGES
