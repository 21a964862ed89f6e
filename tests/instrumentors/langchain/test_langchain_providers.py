"""Packages of providers: the SDK below reports a call; without one, LangChain's class does."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from langchain_chats import CHATS
from opentelemetry import trace

from otel_agents.instrumentors.anthropic import AnthropicInstrumentor
from otel_agents.instrumentors.bedrock import BedrockInstrumentor
from otel_agents.instrumentors.google_genai import GoogleGenAIInstrumentor
from otel_agents.instrumentors.groq import GroqInstrumentor
from otel_agents.instrumentors.langchain import LangChainInstrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Failure, ScriptedModel

SDKS = (
    *(AnthropicInstrumentor, BedrockInstrumentor, GoogleGenAIInstrumentor, GroqInstrumentor),
    OpenAIInstrumentor,
)
WITHOUT_SDK = ("mistralai", "ollama")
"""The packages that send by no SDK that is instrumented."""


@pytest.fixture
def instrument(emission: Emission) -> Iterator[Callable[..., None]]:
    """Instrument LangChain and every SDK."""
    instrumentors = [LangChainInstrumentor(), *(sdk() for sdk in SDKS)]
    with instrumenting(emission, *instrumentors) as instrument:
        yield instrument


def invoked(chat: Any, loop: asyncio.AbstractEventLoop) -> None:
    chat.invoke("Hi")


def streamed(chat: Any, loop: asyncio.AbstractEventLoop) -> None:
    assert len(list(chat.stream("Hi"))) > 1


def awaited(chat: Any, loop: asyncio.AbstractEventLoop) -> None:
    loop.run_until_complete(chat.ainvoke("Hi"))


def streamed_later(chat: Any, loop: asyncio.AbstractEventLoop) -> None:
    async def run() -> None:
        assert len([chunk async for chunk in chat.astream("Hi")]) > 1

    loop.run_until_complete(run())


WAYS = pytest.mark.parametrize("way", [invoked, streamed, awaited, streamed_later])
PROVIDERS = pytest.mark.parametrize("provider", CHATS)


@pytest.mark.parametrize("sdk", [True, False], ids=["sdk", "alone"])
@WAYS
@PROVIDERS
def test_a_response_is_one_span_as_it_was_billed(
    provider: str,
    way: Callable[[Any, asyncio.AbstractEventLoop], None],
    sdk: bool,
    loop: asyncio.AbstractEventLoop,
    instrument: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    instrument(sdk=sdk)
    model.script("Sunny today.")
    way(CHATS[provider](model), loop)
    span, (entry,) = emission.span, model.ledger.wait(1, ended=True).entries
    found = span.attributes or {}
    assert (found["gen_ai.usage.input_tokens"], found["gen_ai.usage.output_tokens"]) == (
        entry.input_tokens,
        entry.output_tokens,
    )
    assert span.instrumentation_scope is not None
    reports_itself = not sdk or provider in WITHOUT_SDK
    assert span.instrumentation_scope.name.endswith(".langchain") is reports_itself
    assert (found["server.address"], found["server.port"]) == ("127.0.0.1", model.port)


@PROVIDERS
def test_a_refused_request_is_an_error(
    provider: str, instrument: Callable[..., None], model: ScriptedModel, emission: Emission
) -> None:
    instrument(sdk=False)
    model.script(Failure(400, message="planted-secret"))
    with pytest.raises(Exception, match="planted-secret"):
        CHATS[provider](model).invoke("Hi")
    assert (emission.span.attributes or {})["error.type"]
    assert "planted-secret" not in emission.texts()


@pytest.mark.parametrize("asynchronous", [False, True], ids=["sync", "async"])
@pytest.mark.parametrize("provider", WITHOUT_SDK)
def test_what_the_class_sends_is_below_its_span(
    provider: str,
    asynchronous: bool,
    instrument: Callable[..., None],
    loop: asyncio.AbstractEventLoop,
    model: ScriptedModel,
    emission: Emission,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    instrument()
    httpx = pytest.importorskip("httpx")
    current: list[str] = []
    for client in (httpx.Client, httpx.AsyncClient):
        sent = client.send

        def send(*args: Any, sent: Any = sent, **kwargs: Any) -> Any:
            current.append(getattr(trace.get_current_span(), "name", ""))
            return sent(*args, **kwargs)

        monkeypatch.setattr(client, "send", send)
    chat = CHATS[provider](model)
    if asynchronous:
        loop.run_until_complete(chat.ainvoke("Hi"))
    else:
        chat.invoke("Hi")
    assert set(current) == {emission.span.name}
