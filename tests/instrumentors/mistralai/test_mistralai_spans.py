"""Whole spans and metrics."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from mistral_calls import MESSAGES, VERSION
from opentelemetry.trace import SpanKind
from span_laws import check_previous_metrics, check_streamed, check_whole

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, Usage

pytestmark = pytest.mark.usefixtures("instrumented")

REQUEST: dict[str, Any] = {
    "model": "mistral-small-latest",
    "messages": MESSAGES,
    "temperature": 0,
    "top_p": 0.5,
    "max_tokens": 100,
    "random_seed": 7,
    "stop": "END",
    "response_format": {"type": "json_object"},
}
NEWER: dict[str, Any] = {
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "n": 2,
    "reasoning_effort": "high",
}
"""What the oldest versions do not have."""
USAGE = Usage(100, 20, cached_tokens=30)
SCRIPTED = Response("{}", id="cmpl-1", model="mistral-small-2506", usage=USAGE)
TOOLS: list[Any] = [
    {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}}
]


def expected(model: ScriptedModel, **changes: Any) -> dict[str, Any]:
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-small-latest",
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "cmpl-1",
        "gen_ai.response.model": "mistral-small-2506",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
    }
    if VERSION >= (3, 0):
        attributes |= {
            "gen_ai.request.frequency_penalty": 0.1,
            "gen_ai.request.presence_penalty": 0.2,
            "gen_ai.request.choice.count": 2,
            "gen_ai.request.reasoning.level": "high",
            "gen_ai.response.finish_reasons": ("stop", "stop"),
            "gen_ai.usage.cache_read.input_tokens": 30,
        }
    return {**attributes, **changes}


def request() -> dict[str, Any]:
    return {**REQUEST, **(NEWER if VERSION >= (3, 0) else {})}


def complete(client: Any, run: Any) -> None:
    client.chat.complete(**request())


def complete_async(client: Any, run: Any) -> None:
    def use(client: Any) -> Any:
        return client.chat.complete_async(**request())

    run(use)


@pytest.mark.parametrize("send", [complete, complete_async])
def test_a_chat(
    send: Callable[..., None], client: Any, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(SCRIPTED)
    send(client, run)
    check_whole(emission, "chat mistral-small-latest", expected(model))


def stream(client: Any, run: Any) -> None:
    list(client.chat.stream(**request()))


def stream_async(client: Any, run: Any) -> None:
    async def read(client: Any) -> None:
        async for _ in await client.chat.stream_async(**request()):
            pass

    run(read)


@pytest.mark.parametrize("send", [stream, stream_async])
def test_a_streamed_chat(
    send: Callable[..., None], client: Any, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(SCRIPTED)
    send(client, run)
    check_streamed(emission, expected(model, **{"gen_ai.request.stream": True}))


def test_the_metrics(client: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(SCRIPTED)
    client.chat.complete(**request())
    check_previous_metrics(emission, expected(model))


def test_tools_and_their_results_are_two_chats(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    """The application executes the tool."""
    called = client.chat.complete(model="m", messages=MESSAGES, tools=TOOLS)
    (call,) = called.choices[0].message.tool_calls
    result = {"role": "tool", "tool_call_id": call.id, "name": "weather", "content": "sunny"}
    messages = [*MESSAGES, called.choices[0].message, result]
    client.chat.complete(model="m", messages=messages, tools=TOOLS)
    reasons = [(span.attributes or {})["gen_ai.response.finish_reasons"] for span in emission.spans]
    assert reasons == [("tool_calls",), ("stop",)]
    assert model.ledger.requests == 2


def test_embeddings(client: Any, model: ScriptedModel, emission: Emission) -> None:
    options = {"output_dimension": 8, "encoding_format": "float"} if VERSION >= (3, 0) else {}
    client.embeddings.create(model="mistral-embed", inputs=["a", "b"], **options)
    assert (emission.span.name, emission.span.kind) == ("embeddings mistral-embed", SpanKind.CLIENT)
    attributes: dict[str, Any] = {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-embed",
        "gen_ai.response.model": "mistral-embed",
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }
    if options:
        attributes["gen_ai.embeddings.dimension.count"] = 8
        attributes["gen_ai.request.encoding_formats"] = ("float",)
    assert dict(emission.span.attributes or {}) == attributes


def test_fill_in_the_middle(client: Any, model: ScriptedModel, emission: Emission) -> None:
    response = client.fim.complete(model="codestral", prompt="def f(", suffix="return a")
    assert emission.span.name == "text_completion codestral"
    assert dict(emission.span.attributes or {}) == {
        "gen_ai.operation.name": "text_completion",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "codestral",
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.response.id": response.id,
        "gen_ai.response.model": "codestral",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "gen_ai.usage.output_tokens": model.ledger.output_tokens,
    }


def test_another_server_of_one_call(client: Any, model: ScriptedModel, emission: Emission) -> None:
    url = model.mistral_url.replace("127.0.0.1", "localhost")
    client.chat.complete(model="m", messages=MESSAGES, server_url=url)
    attributes = dict(emission.span.attributes or {})
    assert (attributes["server.address"], attributes["server.port"]) == ("localhost", model.port)


if VERSION >= (1, 8):
    from pydantic import BaseModel

    class City(BaseModel):
        city: str

    def test_parse_is_one_span(
        client: Any, run: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(*[Response(json.dumps({"city": "Paris"}))] * 4)
        structured: dict[str, Any] = {"model": "m", "messages": MESSAGES, "response_format": City}
        parsed = client.chat.parse(**structured).choices[0].message.parsed
        assert parsed == City(city="Paris")
        list(client.chat.parse_stream(**structured))

        async def use(client: Any) -> None:
            await client.chat.parse_async(**structured)
            async for _ in await client.chat.parse_stream_async(**structured):
                pass

        run(use)
        assert emission.names == ["chat m"] * 4
        found = [dict(span.attributes or {}) for span in emission.spans]
        assert [it["gen_ai.output.type"] for it in found] == ["json"] * 4
        spent = sum(int(str(it["gen_ai.usage.input_tokens"])) for it in found)
        assert spent == model.ledger.input_tokens

    def test_a_response_that_cannot_be_parsed_has_its_tokens(
        client: Any, model: ScriptedModel, emission: Emission
    ) -> None:
        model.script(Response('{"city": "Pa', finish_reason="length"))
        with pytest.raises(ValueError, match=""):  # noqa: PT011  which one depends on the version
            client.chat.parse(model="m", messages=MESSAGES, response_format=City)
        attributes = dict(emission.span.attributes or {})
        assert attributes["gen_ai.response.finish_reasons"] == ("length",)
        assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens > 0
