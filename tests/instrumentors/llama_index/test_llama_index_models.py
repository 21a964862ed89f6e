"""Models: one response, one span, by the SDK below or, where there is none, by the class."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from llama_index.core.embeddings import MockEmbedding
from llama_index.core.llms import (
    ChatMessage,
    CompletionResponse,
    CompletionResponseGen,
    CustomLLM,
    LLMMetadata,
    MockLLM,
)
from llama_index_parts import CHAT, EMBED, attributes, billed, embedding
from opentelemetry.trace import SpanKind

from otel_agents.instrumentors import hosting
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
HI = [ChatMessage(role="user", content="Hi")]


class Own(CustomLLM):
    """A model of the application: no SDK below."""

    model: str = "own-1"

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="own-1")

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        usage = {"prompt_tokens": 11, "completion_tokens": 7}
        return CompletionResponse(text="Sunny.", raw={"id": "r-1", "usage": usage})

    def stream_complete(
        self, prompt: str, formatted: bool = False, **kwargs: Any
    ) -> CompletionResponseGen:
        def parts() -> CompletionResponseGen:
            yield CompletionResponse(text="Sun", delta="Sun")
            yield CompletionResponse(text="Sunny.", delta="ny.")

        return parts()


class Around(Own):
    """A model of the application that calls another one."""

    inner: Any = None

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        return CompletionResponse(text=self.inner.complete(prompt).text)


class Failing(Own):
    """A model of the application that fails."""

    def complete(self, prompt: str, formatted: bool = False, **kwargs: Any) -> CompletionResponse:
        raise LookupError("secret")


async def astream(model: Any) -> None:
    async for _ in await model.astream_chat(HI):
        pass


async def astream_completion(model: Any) -> None:
    async for _ in await model.astream_complete("Hi"):
        pass


async def achat(model: Any) -> None:
    await model.achat(HI)


async def acomplete(model: Any) -> None:
    await model.acomplete("Hi")


WAYS: dict[str, Callable[[Any, Loop], object]] = {
    "chat": lambda model, loop: model.chat(HI),
    "complete": lambda model, loop: model.complete("Hi"),
    "stream_chat": lambda model, loop: list(model.stream_chat(HI)),
    "stream_complete": lambda model, loop: list(model.stream_complete("Hi")),
    "achat": lambda model, loop: loop.run_until_complete(achat(model)),
    "acomplete": lambda model, loop: loop.run_until_complete(acomplete(model)),
    "astream_chat": lambda model, loop: loop.run_until_complete(astream(model)),
    "astream_complete": lambda model, loop: loop.run_until_complete(astream_completion(model)),
}


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_the_sdk_reports_a_call(
    way: Callable[[Any, Loop], object],
    llm: Any,
    loop: Loop,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    way(llm, loop)
    assert emission.tree() == [CHAT]
    (entry,) = model.ledger.entries
    assert billed(emission)[0] in ((entry.input_tokens, entry.output_tokens), (None, None))


@pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)
def test_a_model_of_the_application_is_reported(
    way: Callable[[Any, Loop], object], loop: Loop, emission: Emission
) -> None:
    way(Own(), loop)
    (name,) = emission.names
    assert name.split() in (["chat", "own-1"], ["text_completion", "own-1"])
    (found,) = attributes(emission, name)
    assert found["gen_ai.provider.name"] == "custom"


def test_a_reported_call_has_what_the_response_has(emission: Emission) -> None:
    Own().complete("Hi")
    assert attributes(emission, "text_completion own-1") == [
        {
            "gen_ai.operation.name": "text_completion",
            "gen_ai.provider.name": "custom",
            "gen_ai.request.model": "own-1",
            "gen_ai.response.id": "r-1",
            "gen_ai.usage.input_tokens": 11,
            "gen_ai.usage.output_tokens": 7,
        }
    ]


class Described(CustomLLM):
    """A model of the application that has its name in no field."""

    @property
    def metadata(self) -> LLMMetadata:
        return LLMMetadata(model_name="own-4")

    complete = Own.complete
    stream_complete = Own.stream_complete


def test_a_model_whose_description_has_its_name(emission: Emission) -> None:
    Described().complete("Hi")
    assert emission.tree() == ["text_completion own-4"]


def test_a_model_around_another_one_is_one_call(llm: Any, emission: Emission) -> None:
    Around(inner=llm).complete("Hi")
    assert emission.tree() == [CHAT]


def test_a_stream_that_is_never_read_sends_nothing(llm: Any, emission: Emission) -> None:
    llm.stream_chat(HI)
    Own().stream_complete("Hi")
    hosting.drain_streams(5)
    assert emission.tree() == []


def test_a_stream_that_is_closed_is_abandoned(llm: Any, emission: Emission) -> None:
    stream = llm.stream_chat(HI)
    next(stream)
    stream.close()
    hosting.drain_streams(5)
    (found,) = attributes(emission, CHAT)
    assert found["otel_agents.stream.abandoned"] is True


def test_a_failing_model(emission: Emission) -> None:
    with pytest.raises(LookupError):
        Failing().complete("Hi")
    (found,) = attributes(emission, "text_completion own-1")
    assert found["error.type"] == "LookupError"
    assert "secret" not in emission.texts()


def test_a_provider_that_fails(llm: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(400))
    with pytest.raises(Exception, match="400"):
        llm.chat(HI)
    (found,) = attributes(emission, CHAT)
    assert found["error.type"] == "openai.BadRequestError"


def test_a_class_for_what_is_like_openai(model: ScriptedModel, emission: Emission) -> None:
    like: Any = pytest.importorskip("llama_index.llms.openai_like")
    other = like.OpenAILike(
        model="own-3", api_key="none", api_base=model.openai_url, is_chat_model=True, max_retries=0
    )
    other.chat(HI)
    list(other.stream_chat(HI))
    other.complete("Hi")
    assert emission.tree() == ["chat own-3"] * 3


def test_a_mock_is_no_model(emission: Emission) -> None:
    MockLLM().complete("Hi")
    list(MockLLM().stream_complete("Hi"))
    MockEmbedding(embed_dim=2).get_text_embedding("Hi")
    assert emission.tree() == []


# Embeddings.


def test_the_sdk_reports_embeddings(model: ScriptedModel, loop: Loop, emission: Emission) -> None:
    embedder = embedding(model)
    embedder.get_text_embedding("red")
    embedder.get_query_embedding("red")
    embedder.get_text_embedding_batch(["red", "green"])
    loop.run_until_complete(embedder.aget_text_embedding("red"))
    assert emission.tree() == [EMBED] * 4


def test_embeddings_of_the_application_are_reported(emission: Emission) -> None:
    class Own(MockEmbedding):
        def _get_text_embedding(self, text: str) -> list[float]:
            return [1.0, 2.0]

    Own(embed_dim=2, model_name="own-2").get_text_embedding("red")
    assert attributes(emission, "embeddings own-2") == [
        {
            "gen_ai.operation.name": "embeddings",
            "gen_ai.provider.name": "custom",
            "gen_ai.request.model": "own-2",
        }
    ]


def test_embeddings_in_this_process_are_internal(emission: Emission) -> None:
    namespace: dict[str, Any] = {
        "__module__": "llama_index.embeddings.huggingface.base",
        "_get_text_embedding": lambda self, text: [1.0],  # pyright: ignore[reportUnknownLambdaType]  of a class made here
    }
    kind: Any = type("HuggingFaceEmbedding", (MockEmbedding,), namespace)
    kind(embed_dim=1, model_name="bge").get_text_embedding("red")
    (span,) = emission.spans
    assert (span.name, span.kind) == ("embeddings bge", SpanKind.INTERNAL)
    assert (span.attributes or {})["gen_ai.provider.name"] == "huggingface"
