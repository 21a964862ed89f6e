"""The openai SDK receives the usage that the ledger bills: sync and async, whole and streamed."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import openai
import pytest

from otel_agents.testing.scripted_model import (
    DEFAULT_TEXT,
    Kind,
    ScriptedModel,
)

# translations.create is deprecated in openai 3, and serves still
pytestmark = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")

MESSAGES: Any = [{"role": "user", "content": "What is the weather?"}]
UPLOAD = ("speech.mp3", b"\x00\x01", "audio/mpeg")


@dataclass(frozen=True)
class Case:
    """One API: its call, the text of the result, and the usage (input, output) that the client received."""

    api: str
    kind: Kind
    call: Callable[[Any], Any]
    text: Callable[[list[Any]], str | None]
    usage_in: Callable[[list[Any]], tuple[int, int]]
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
CASES_OF_1_17 = [
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
CASES_SINCE = [
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
CASES = [*CASES_OF_1_17, *(CASES_SINCE if hasattr(openai.OpenAI, "responses") else [])]
every_api = pytest.mark.parametrize("case", CASES, ids=str)


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
    assert case.usage_in(items) == (entry.input_tokens, entry.output_tokens)


@every_api
def test_sync_client_receives_the_billed_usage(
    case: Case, model: ScriptedModel, client: openai.OpenAI
) -> None:
    check(case, model, received(case, client))


@every_api
def test_async_client_receives_the_billed_usage(case: Case, model: ScriptedModel) -> None:
    async def main() -> list[Any]:
        async with openai.AsyncOpenAI(base_url=model.openai_url, api_key="none") as client:
            return await received_async(case, client)

    check(case, model, asyncio.run(main()))


def test_ledger_sums_the_usage_of_all_clients(model: ScriptedModel, client: openai.OpenAI) -> None:
    """Law 3 as an equation: twenty threads, every API, equal sums, no number used twice."""

    def tokens_of(case: Case) -> tuple[int, int]:
        return case.usage_in(received(case, client))

    with ThreadPoolExecutor(20) as pool:
        usages = list(pool.map(tokens_of, CASES * 10))
    assert model.ledger.requests == len(usages)
    assert model.ledger.input_tokens == sum(tokens[0] for tokens in usages)
    assert model.ledger.output_tokens == sum(tokens[1] for tokens in usages)
    billed = [tokens for tokens in usages if tokens != (0, 0)]
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


def test_stream_without_requested_usage_reports_none(
    model: ScriptedModel, client: openai.OpenAI
) -> None:
    chunks: list[Any] = list(chat(stream=True)(client))
    assert [chunk.usage for chunk in chunks if getattr(chunk, "usage", None)] == []
    assert [(it.status.value, it.reported) for it in model.ledger.entries] == [("unbilled", None)]


def test_azure_client_names_the_deployment_in_the_path(model: ScriptedModel) -> None:
    """Its stream opens with the filter's results, in a chunk without choices."""
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
