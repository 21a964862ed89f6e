"""Models: one response, one span, by the SDK below or, where there is none, by LangChain's class."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from typing import Any

import pytest
from langchain_core.language_models import LLM, BaseChatModel
from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
from langchain_core.outputs import ChatGeneration, ChatGenerationChunk, ChatResult
from langchain_core.prompts import ChatPromptTemplate
from langchain_graphs import CHAT, CORE, chat
from opentelemetry.trace import SpanKind, StatusCode
from packaging.version import Version

from otel_agents.instrumentors import hosting
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

pytestmark = pytest.mark.usefixtures("instrumented")

Loop = asyncio.AbstractEventLoop
USAGE: Any = {
    "input_tokens": 11,
    "output_tokens": 7,
    "total_tokens": 18,
    "input_token_details": {"cache_read": 3},
}


class Own(BaseChatModel):
    """A model of the application's: no SDK below, and no name of a provider."""

    model: str = "own-1"
    temperature: float = 0.5

    @property
    def _llm_type(self) -> str:
        return "own"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        metadata = {"finish_reason": "stop", "model_name": "own-1-2026", "id": "r-1"}
        message = AIMessage(content="Sunny.", usage_metadata=USAGE, response_metadata=metadata)
        return ChatResult(generations=[ChatGeneration(message=message)])


class Streaming(Own):
    """A model of the application's that streams."""

    def _stream(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> Iterator[ChatGenerationChunk]:
        for text in ("Sun", "ny."):
            yield ChatGenerationChunk(message=AIMessageChunk(content=text))
        last = AIMessageChunk(
            content="", usage_metadata=USAGE, response_metadata={"finish_reason": "stop"}
        )
        yield ChatGenerationChunk(message=last)


class Asynchronous(Streaming):
    """A model of the application's with code of its own for async calls."""

    async def _agenerate(self, messages: Any, *args: Any, **kwargs: Any) -> ChatResult:
        await asyncio.sleep(0)
        return self._generate(messages)

    async def _astream(
        self, messages: Any, *args: Any, **kwargs: Any
    ) -> AsyncIterator[ChatGenerationChunk]:
        for chunk in self._stream(messages):
            yield chunk


class Around(BaseChatModel):
    """A model of the application's that calls another one."""

    inner: Any

    @property
    def _llm_type(self) -> str:
        return "around"

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        return ChatResult(generations=[ChatGeneration(message=self.inner.invoke(messages))])


class Failing(Own):
    """A model of the application's that fails."""

    def _generate(
        self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **kwargs: Any
    ) -> ChatResult:
        raise LookupError("secret")


class Texts(LLM):
    """A model of the application's that completes texts."""

    @property
    def _llm_type(self) -> str:
        return "texts"

    def _call(self, prompt: str, stop: Any = None, run_manager: Any = None, **kwargs: Any) -> str:
        return f"{prompt} sunny."


async def streamed(model: Any) -> None:
    async for _ in model.astream("Hi"):
        pass


WAYS: dict[str, Callable[[Any, Loop], object]] = {
    "invoke": lambda model, loop: model.invoke("Hi"),
    "stream": lambda model, loop: list(model.stream("Hi")),
    "ainvoke": lambda model, loop: loop.run_until_complete(model.ainvoke("Hi")),
    "astream": lambda model, loop: loop.run_until_complete(streamed(model)),
}
Way = Callable[[Any, Loop], object]
EVERY_WAY = pytest.mark.parametrize("way", WAYS.values(), ids=WAYS)


@EVERY_WAY
def test_the_sdk_reports_its_calls(
    way: Way, model: ScriptedModel, loop: Loop, emission: Emission
) -> None:
    way(chat(model, **({"stream_usage": True} if Version("0.2") < CORE else {})), loop)
    if Version("0.2") > CORE and way in (WAYS["stream"], WAYS["astream"]):
        return  # it cannot request the usage of a stream
    span = emission.span
    assert span.name == CHAT
    found = span.attributes or {}
    (entry,) = model.ledger.entries
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (
        entry.input_tokens,
        entry.output_tokens,
    )


KNOWN = {
    "gen_ai.operation.name": "chat",
    "gen_ai.provider.name": "custom",
    "gen_ai.request.model": "own-1",
    "gen_ai.request.temperature": 0.5,
    "gen_ai.response.finish_reasons": ("stop",),
    "gen_ai.usage.input_tokens": 11,
    "gen_ai.usage.output_tokens": 7,
    "gen_ai.usage.cache_read.input_tokens": 3,
}
WHOLE = {**KNOWN, "gen_ai.response.id": "r-1", "gen_ai.response.model": "own-1-2026"}


@pytest.mark.parametrize("kind", [Own, Asynchronous])
@pytest.mark.parametrize("way", [WAYS["invoke"], WAYS["ainvoke"]], ids=["sync", "async"])
def test_a_model_of_the_application_reports_itself(
    kind: type[Own], way: Way, loop: Loop, emission: Emission
) -> None:
    way(kind(), loop)
    span = emission.span
    assert (span.name, span.kind) == ("chat own-1", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == WHOLE


@pytest.mark.parametrize("kind", [Streaming, Asynchronous])
@pytest.mark.parametrize("way", [WAYS["stream"], WAYS["astream"]], ids=["sync", "async"])
def test_a_stream_of_the_application_reports_itself(
    kind: type[Own], way: Way, loop: Loop, emission: Emission
) -> None:
    if Version("0.2") > CORE and kind is Streaming and way is WAYS["astream"]:
        pytest.skip("it does not stream")
    way(kind(), loop)
    found = dict(emission.span.attributes or {})
    assert found.pop("gen_ai.response.time_to_first_chunk") is not None
    expected = {**KNOWN, "gen_ai.request.stream": True}
    assert found == expected


def test_a_model_without_a_stream_stays_one(emission: Emission) -> None:
    """LangChain compares the methods of the class to find out."""
    assert [chunk.content for chunk in Own().stream("Hi")] == ["Sunny."]
    assert dict(emission.span.attributes or {}) == WHOLE


def test_a_stream_that_is_left_is_abandoned(emission: Emission) -> None:
    stream: Any = Streaming().stream("Hi")
    next(stream)
    stream.close()
    hosting.drain_streams(5)
    found = dict(emission.span.attributes or {})
    assert found["otel_agents.stream.abandoned"] is True
    assert emission.span.status.status_code is StatusCode.UNSET


def test_a_stream_that_never_starts_is_nothing(emission: Emission) -> None:
    Streaming().stream("Hi")
    hosting.drain_streams(5)
    assert emission.spans == ()


@pytest.mark.skipif(Version("0.2.5") > CORE, reason="no cache of its own")
def test_a_response_from_the_cache_is_no_call(llm: Any, emission: Emission) -> None:
    caches: Any = import_module("langchain_core.caches")
    llm.cache = caches.InMemoryCache()
    for model in (llm, Own(cache=caches.InMemoryCache())):
        model.invoke("Hi")
        model.invoke("Hi")
    assert emission.tree() == [CHAT, "chat own-1"]


def test_a_model_around_another_is_one_call(llm: Any, emission: Emission) -> None:
    Around(inner=llm).invoke("Hi")
    assert emission.tree() == [CHAT]


def test_a_model_that_fails(emission: Emission) -> None:
    prompt = ChatPromptTemplate.from_messages([("human", "{topic}")])
    with pytest.raises(LookupError, match="secret"):
        (prompt | Failing()).invoke({"topic": "x"})
    assert emission.tree() == ["invoke_workflow", "  chat own-1"]
    failed = [(span.attributes or {}).get("error.type") for span in emission.spans]
    assert failed == ["LookupError", "LookupError"]
    (log,) = emission.logs
    (inner,) = (span.context for span in emission.spans if span.name == "chat own-1")
    assert inner is not None
    assert log.log_record.span_id == inner.span_id
    assert "secret" not in emission.texts()


def test_an_error_of_the_sdk_has_one_event(
    llm: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(400))
    prompt = ChatPromptTemplate.from_messages([("human", "{topic}")])
    with pytest.raises(Exception, match="400"):
        (prompt | llm).invoke({"topic": "x"})
    assert emission.tree() == ["invoke_workflow", f"  {CHAT}"]
    assert [name for name, _ in emission.events] == ["gen_ai.client.operation.exception"]


def test_a_model_that_completes_texts(emission: Emission) -> None:
    assert Texts().invoke("It is") == "It is sunny."
    assert emission.span.name == "text_completion"
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "custom",
    }


def test_calls_in_a_batch_are_below_their_own_runs(llm: Any, emission: Emission) -> None:
    prompt = ChatPromptTemplate.from_messages([("human", "{topic}")])
    (prompt | llm).batch([{"topic": "a"}, {"topic": "b"}])
    chats = [span for span in emission.spans if span.name == CHAT]
    assert len({span.parent.span_id for span in chats if span.parent}) == 2
