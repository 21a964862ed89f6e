"""A model call by the application's own HTTP is a claim: what an SDK below reports counts once."""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncGenerator, Iterator
from typing import Any
from urllib.request import Request, urlopen

import openai
import pytest
from opentelemetry.trace import SpanKind

from otel_agents import api
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel

pytestmark = pytest.mark.usefixtures("configured")


@pytest.fixture
def sdk(emission: Emission, model: ScriptedModel) -> Iterator[openai.OpenAI]:
    with instrumenting(emission, OpenAIInstrumentor()) as instrument:
        instrument()
        with openai.OpenAI(base_url=model.openai_url, api_key="none", max_retries=0) as client:
            yield client


def post(model: ScriptedModel, prompt: str) -> dict[str, Any]:
    """Call the model without any SDK."""
    body = {"model": "m", "messages": [{"role": "user", "content": prompt}]}
    request = Request(
        f"{model.openai_url}/chat/completions",
        json.dumps(body).encode(),
        {"Content-Type": "application/json", "Authorization": "Bearer none"},
    )
    with urlopen(request, timeout=10) as response:
        return json.load(response)


def send(model: ScriptedModel, prompt: str) -> str:
    """Call the model, and record the call."""
    server = ("127.0.0.1", model.port)
    with api.inference(model="m", provider="house", server=server, temperature=0.5) as call:
        call.input(prompt)
        found = post(model, prompt)
        usage, choice = found["usage"], found["choices"][0]
        call.usage(usage["prompt_tokens"], usage["completion_tokens"], reasoning_tokens=2)
        call.response(id=found["id"], model=found["model"], finish_reason=choice["finish_reason"])
        call.output(choice["message"]["content"])
        return choice["message"]["content"]


@pytest.mark.usefixtures("with_content")
def test_a_call_by_its_own_http_is_one_whole_span(emission: Emission, model: ScriptedModel) -> None:
    model.script(Response("Sunny."))
    with api.agent("a"):
        assert send(model, "Weather?") == "Sunny."
    chat, agent = emission.spans
    (billed,) = model.ledger.entries
    found = dict(chat.attributes or {})
    assert found.pop("gen_ai.response.id")
    assert (chat.name, chat.kind) == ("chat m", SpanKind.CLIENT)
    assert chat.parent
    assert agent.context
    assert chat.parent.span_id == agent.context.span_id
    assert agent.start_time
    assert chat.start_time
    assert chat.end_time
    assert agent.start_time < chat.start_time < chat.end_time
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "house",
        "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.response.model": "m",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": billed.input_tokens,
        "gen_ai.usage.output_tokens": billed.output_tokens,
        "gen_ai.usage.reasoning.output_tokens": 2,
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Weather?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Sunny."}],'
        '"finish_reason":"stop"}]',
    }


def test_where_an_sdk_reports_its_span_is_the_only_one(
    sdk: openai.OpenAI, emission: Emission, model: ScriptedModel
) -> None:
    with api.agent("a"), api.inference(model="other", provider="house") as call:
        messages: Any = [{"role": "user", "content": "Hi"}]
        sdk.chat.completions.create(model="gpt-4o-mini", messages=messages)
        call.usage(1000, 1000)
    assert emission.tree() == ["invoke_agent a", "  chat gpt-4o-mini"]
    (billed,) = model.ledger.entries
    agent = dict(emission.spans[-1].attributes or {})
    assert agent["gen_ai.usage.input_tokens"] == billed.input_tokens
    tokens = emission.points()["gen_ai.client.token.usage"]
    assert sum(value for _, value in tokens) == (billed.input_tokens + billed.output_tokens)


def test_a_span_of_a_library_that_is_not_ours_takes_the_claim(emission: Emission) -> None:
    tracer = emission.tracer_provider.get_tracer("other")
    with api.inference(model="m", provider="house") as call:
        named = {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": "house",
            "gen_ai.request.model": "m",
        }
        tracer.start_span("their chat", attributes=named)  # never ends: only the claim matters
        call.usage(1, 1)
    assert emission.names == []


def test_embeddings_do_not_take_a_claim_on_a_chat(emission: Emission) -> None:
    with api.inference(model="m", provider="house"), api.embeddings(model="e", provider="house"):
        pass
    assert sorted(emission.names) == ["chat m", "embeddings e"]


def test_nested_claims_are_one_call(emission: Emission) -> None:
    with api.inference(model="outer"), api.inference(model="inner", provider="house") as call:
        call.usage(1, 2)
    assert emission.names == ["chat inner"]


def test_a_call_that_fails_is_one_span_with_its_error(emission: Emission) -> None:
    with pytest.raises(OSError, match="refused"), api.inference(model="m", provider="house"):
        raise ConnectionRefusedError("refused")
    assert (emission.span.attributes or {})["error.type"] == "ConnectionRefusedError"


@pytest.mark.usefixtures("with_content")
def test_a_decorated_function_records_by_the_current_call(emission: Emission) -> None:
    @api.inference(model="m", provider="house")
    async def stream(prompt: str) -> AsyncGenerator[str, None]:
        for part in ("Sun", "ny."):
            yield part
        api.current_call().usage(5, 2)
        api.current_call().response(id="r-1", finish_reason="stop")

    async def read() -> list[str]:
        return [part async for part in stream("Weather?")]

    assert asyncio.run(read()) == ["Sun", "ny."]
    found = dict(emission.span.attributes or {})
    assert isinstance(found.pop("gen_ai.response.time_to_first_chunk"), float)
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "house",
        "gen_ai.request.model": "m",
        "gen_ai.request.stream": True,
        "gen_ai.response.id": "r-1",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 2,
        "gen_ai.input.messages": '[{"role":"user","parts":[{"type":"text","content":"Weather?"}]}]',
        "gen_ai.output.messages": '[{"role":"assistant","parts":[{"type":"text","content":"Sunny."}],'
        '"finish_reason":"stop"}]',
    }


def test_without_a_call_the_current_one_does_nothing(emission: Emission) -> None:
    api.current_call().usage(5, 2)
    assert emission.names == []


def test_embeddings_are_one_whole_span(emission: Emission) -> None:
    with api.embeddings(model="e", provider="house", dimensions=8, server=("h", 1)) as call:
        call.usage(5)
        call.response(model="e-2")
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "house",
        "gen_ai.request.model": "e",
        "gen_ai.embeddings.dimension.count": 8,
        "gen_ai.response.model": "e-2",
        "gen_ai.usage.input_tokens": 5,
        "server.address": "h",
        "server.port": 1,
    }


@pytest.mark.usefixtures("with_content")
def test_what_embeddings_return_is_no_message(emission: Emission) -> None:
    @api.embeddings(model="e")
    def embed(text: str) -> list[float]:
        api.current_call().usage(2)
        return [0.1, 0.2]

    embed("Bern")
    assert [*(emission.span.attributes or {})] == [
        *("gen_ai.operation.name", "gen_ai.provider.name", "gen_ai.request.model"),
        "gen_ai.usage.input_tokens",
    ]


@pytest.mark.parametrize("tokens", [-1, 1.5, "12", float("nan"), [1], True])
def test_what_is_no_number_of_tokens_is_not_counted(
    tokens: Any, emission: Emission, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "otel_agents")
    with api.inference(model="m", provider="house") as call:
        call.usage(3.0, tokens)  # pyright: ignore[reportArgumentType]: of any JSON
        call.usage(cache_read_tokens=tokens)
        call.response(finish_reason="stop")
    found = dict(emission.span.attributes or {})
    assert found["gen_ai.usage.input_tokens"] == 3
    assert "gen_ai.usage.output_tokens" not in found
    assert "gen_ai.usage.cache_read.input_tokens" not in found
    assert len(caplog.messages) == 1
