"""The openai SDK, sync and async, whole and streamed, gets from the scripted model what the ledger says."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from otel_agents.distro.scripted_model import (
    DEFAULT_TEXT,
    Answer,
    Failure,
    Kind,
    ScriptedModel,
    ToolCall,
    Usage,
)

# translations.create is deprecated in openai 3, and serves still
pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")

MESSAGES: Any = [{"role": "user", "content": "What is the weather?"}]
TOOL: Any = {
    "type": "function",
    "function": {
        "name": "weather",
        "parameters": {"type": "object", "properties": {"city": {"type": "string"}}},
    },
}
UPLOAD = ("speech.mp3", b"\x00\x01", "audio/mpeg")


@dataclass(frozen=True)
class Case:
    """One API: how it is called, what text came back, what usage (input, output) the client got."""

    api: str
    kind: Kind
    call: Callable[[Any], Any]
    text: Callable[[list[Any]], str | None]
    told: Callable[[list[Any]], tuple[int, int]]
    streamed: bool = False

    def __str__(self) -> str:
        return f"{self.api}{'-stream' if self.streamed else ''}"


def chat(**more: Any) -> Callable[[Any], Any]:
    return lambda client: client.chat.completions.create(
        model="gpt-4o-mini", messages=MESSAGES, **more
    )


def completion_tokens(items: list[Any]) -> tuple[int, int]:
    usage = items[-1].model_dump()["usage"]  # openai 1.17 has no type for it in chunks
    return usage["prompt_tokens"], usage["completion_tokens"]


def response_tokens(items: list[Any]) -> tuple[int, int]:
    usage = getattr(items[-1], "response", items[-1]).usage
    return usage.input_tokens, usage.output_tokens


def no_tokens(items: list[Any]) -> tuple[int, int]:
    return 0, 0


USAGE = {"stream": True, "extra_body": {"stream_options": {"include_usage": True}}}
CASES = [
    Case(
        "chat.completions",
        Kind.INFERENCE,
        chat(),
        lambda items: items[0].choices[0].message.content,
        completion_tokens,
    ),
    Case(
        "chat.completions",
        Kind.INFERENCE,
        chat(**USAGE),
        lambda items: "".join(it.choices[0].delta.content or "" for it in items[:-1]),
        completion_tokens,
        streamed=True,
    ),
    Case(
        "completions",
        Kind.INFERENCE,
        lambda client: client.completions.create(model="davinci-002", prompt="Once"),
        lambda items: items[0].choices[0].text,
        completion_tokens,
    ),
    Case(
        "completions",
        Kind.INFERENCE,
        lambda client: client.completions.create(model="davinci-002", prompt="Once", **USAGE),
        lambda items: "".join(it.choices[0].text for it in items[:-1]),
        completion_tokens,
        streamed=True,
    ),
    Case(
        "embeddings",
        Kind.EMBEDDINGS,
        lambda client: client.embeddings.create(model="text-embedding-3-small", input="a"),
        lambda items: None,
        lambda items: (items[0].usage.prompt_tokens, 0),
    ),
    Case(
        "images.generate",
        Kind.IMAGE,
        lambda client: client.images.generate(model="dall-e-3", prompt="A cat"),
        lambda items: None,
        no_tokens,
    ),
    Case(
        "audio.speech",
        Kind.AUDIO,
        lambda client: client.audio.speech.create(model="tts-1", voice="alloy", input="Hello"),
        lambda items: None,
        no_tokens,
    ),
    Case(
        "audio.transcriptions",
        Kind.AUDIO,
        lambda client: client.audio.transcriptions.create(model="whisper-1", file=UPLOAD),
        lambda items: items[0].text,
        no_tokens,
    ),
    Case(
        "audio.translations",
        Kind.AUDIO,
        lambda client: client.audio.translations.create(model="whisper-1", file=UPLOAD),
        lambda items: items[0].text,
        no_tokens,
    ),
]
if hasattr(openai.OpenAI, "responses"):
    CASES += [
        Case(
            "responses",
            Kind.INFERENCE,
            lambda client: client.responses.create(model="gpt-4o-mini", input="Hi"),
            lambda items: items[0].output_text,
            response_tokens,
        ),
        Case(
            "responses",
            Kind.INFERENCE,
            lambda client: client.responses.create(model="gpt-4o-mini", input="Hi", stream=True),
            lambda items: items[-1].response.output_text,
            response_tokens,
            streamed=True,
        ),
        Case(
            "images.generate",
            Kind.IMAGE,
            lambda client: client.images.generate(model="gpt-image-1", prompt="A cat"),
            lambda items: None,
            response_tokens,
        ),
    ]
every_api = pytest.mark.parametrize("case", CASES, ids=str)


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as model:
        yield model


@pytest.fixture
def client(model: ScriptedModel) -> Iterator[openai.OpenAI]:
    with openai.OpenAI(base_url=model.openai_url, api_key="none") as client:
        yield client


def received(case: Case, client: openai.OpenAI) -> list[Any]:
    result = case.call(client)
    return list(result) if case.streamed else [result]


async def received_async(case: Case, client: openai.AsyncOpenAI) -> list[Any]:
    result = await case.call(client)
    return [item async for item in result] if case.streamed else [result]


def check(case: Case, model: ScriptedModel, items: list[Any]) -> None:
    (entry,) = model.ledger.entries
    assert case.text(items) in (None, DEFAULT_TEXT)
    assert (entry.api, entry.kind, entry.streamed) == (case.api, case.kind, case.streamed)
    assert (entry.http_status, entry.ended) == (200, True)
    assert case.told(items) == (entry.input_tokens, entry.output_tokens)


@every_api
def test_sync_client_is_told_what_the_ledger_bills(
    case: Case, model: ScriptedModel, client: openai.OpenAI
) -> None:
    check(case, model, received(case, client))


@every_api
def test_async_client_is_told_what_the_ledger_bills(case: Case, model: ScriptedModel) -> None:
    async def main() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=model.openai_url, api_key="none") as client:
            return await received_async(case, client)

    check(case, model, asyncio.run(main()))


def test_ledger_sums_what_all_clients_were_told(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    """Law 3 as an equation: twenty threads, every API, sums equal and no number used twice."""
    with ThreadPoolExecutor(20) as pool:
        told = list(pool.map(lambda case: case.told(received(case, client)), CASES * 10))
    assert model.ledger.requests == len(told)
    assert model.ledger.input_tokens == sum(tokens[0] for tokens in told)
    assert model.ledger.output_tokens == sum(tokens[1] for tokens in told)
    billed = [tokens for tokens in told if tokens != (0, 0)]
    assert len(set(billed)) == len(billed)
    ids = [entry.response_id for entry in model.ledger.entries]
    assert len(set(ids)) == len(ids)


def test_bill_can_be_narrowed_to_kinds(model: ScriptedModel, client: openai.OpenAI) -> None:
    chat()(client)
    client.embeddings.create(model="text-embedding-3-small", input="a")
    inference, embeddings = model.ledger.entries
    assert model.ledger.only(Kind.EMBEDDINGS).entries == (embeddings,)
    assert model.ledger.only(Kind.INFERENCE).output_tokens == inference.output_tokens
    both = model.ledger.only(Kind.INFERENCE, Kind.EMBEDDINGS)
    assert both.input_tokens == model.ledger.input_tokens


def test_stream_that_was_not_asked_for_usage_tells_none(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    chunks: list[Any] = list(chat(stream=True)(client))
    assert [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)] == []
    assert [(it.status.value, it.told) for it in model.ledger.entries] == [("unbilled", None)]


def test_azure_client_names_the_deployment_in_the_path(model: ScriptedModel) -> None:
    """And its stream opens with the filter's verdict, in a chunk without choices."""
    with openai.AzureOpenAI(
        azure_endpoint=model.base_url, api_key="none", api_version="2024-10-21"
    ) as client:
        whole = client.chat.completions.create(model="my-deployment", messages=MESSAGES)
        chunks = list(
            client.chat.completions.create(model="my-deployment", messages=MESSAGES, stream=True)
        )
    assert whole.choices[0].message.content == DEFAULT_TEXT
    assert chunks[0].choices == []
    assert "".join(it.choices[0].delta.content or "" for it in chunks[1:]) == DEFAULT_TEXT
    assert [entry.model for entry in model.ledger.entries] == ["my-deployment"] * 2
    paths = {entry.path for entry in model.ledger.entries}
    assert paths == {"/openai/deployments/my-deployment/chat/completions"}


@pytest.mark.parametrize("prefix", ["/openai/v1", "/api/v1", "", "/v1beta/openai"])
def test_any_prefix_of_a_compatible_host_is_served(model: ScriptedModel, prefix: str) -> None:
    with openai.OpenAI(base_url=model.base_url + prefix, api_key="none") as client:
        assert chat()(client).choices[0].message.content == DEFAULT_TEXT


def test_scripted_answer_reaches_the_client_whole(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    model.script(
        Answer(
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
    got = chat()(client).model_dump()
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
    assert entry.told == Usage(50, 20, cached_tokens=30, reasoning_tokens=8)


def test_streamed_tool_call_adds_up_to_the_scripted_one(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    model.script(Answer(tool_calls=[ToolCall("a", {"x": 1}), ToolCall("b", "not json")]))
    calls: dict[int, list[str]] = {}
    for chunk in chat(stream=True)(client):
        for part in chunk.choices[0].delta.tool_calls or []:
            calls.setdefault(part.index, []).append(
                (part.function.name or "") + part.function.arguments
            )
    assert {index: "".join(parts) for index, parts in calls.items()} == {
        0: 'a{"x": 1}',
        1: "bnot json",
    }


def test_agent_loop_by_the_default_rule(model: ScriptedModel, client: openai.OpenAI) -> None:
    """One call of the offered tool, then, once the tool has answered, a text."""
    first = chat(tools=[TOOL])(client).choices[0]
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


def test_answer_may_depend_on_the_request(model: ScriptedModel, client: openai.OpenAI) -> None:
    """The queue comes first, the function answers the rest."""
    model.script("first")
    model.script_by(lambda request: Answer(f"{request.model} was asked: {request.prompt}"))
    said = [chat()(client).choices[0].message.content for _ in range(2)]
    assert said == ["first", "gpt-4o-mini was asked: What is the weather?"]


def test_script_that_fails_tells_its_author(
    model: ScriptedModel, client: openai.OpenAI, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(request: object) -> Answer:
        raise LookupError("no such answer")

    model.script_by(broken)
    with pytest.raises(openai.BadRequestError, match="no such answer"):
        chat()(client)
    assert [record.message for record in caplog.records if record.name == "otel_agents"] == [
        "The script of the scripted model failed: LookupError('no such answer')"
    ]


def test_failure_is_the_status_error_of_the_sdk(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    """Retried by the SDK as often as it does, each attempt an entry; none of them is billed."""
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
    by_default, as_floats = (
        [it.embedding for it in client.embeddings.create(model="e", input=texts, **form).data]
        for form in ({}, {"encoding_format": "float"})
    )
    cats, dogs, stocks = as_floats
    near = sum(a * b for a, b in zip(cats, dogs, strict=True))
    far = sum(a * b for a, b in zip(cats, stocks, strict=True))
    assert near == pytest.approx(1.0)
    assert far < 0.5
    for packed, plain in zip(by_default, as_floats, strict=True):
        assert packed == pytest.approx(plain)  # the SDK asks for base64 by default
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
    model.script(Answer(audio=b"spoken"))
    got = client.audio.speech.create(model="tts-1", voice="alloy", input="Hello")
    assert got.content == b"spoken"


def test_headers_of_the_request_are_in_the_ledger(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    chat(extra_headers={"traceparent": "00-1-2-01"})(client)
    (entry,) = model.ledger.entries
    assert entry.headers["traceparent"] == "00-1-2-01"
    assert entry.body["messages"] == MESSAGES
