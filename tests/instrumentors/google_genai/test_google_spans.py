"""Whole spans, metrics and events."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from google import genai
from google_calls import MODEL, PROMPT, VERSION
from opentelemetry.trace import SpanKind
from span_laws import (
    check_latest_metrics,
    check_previous_metrics,
    check_streamed,
    check_whole,
)

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, Usage

CONFIG: dict[str, Any] = {
    "temperature": 0,
    "top_p": 0.5,
    "top_k": 40,
    "max_output_tokens": 100,
    "frequency_penalty": 0.1,
    "presence_penalty": 0.2,
    "seed": 7,
    "stop_sequences": ["END"],
    "candidate_count": 2,
    "response_mime_type": "application/json",
}
USAGE = Usage(
    100,
    20,
    cached_tokens=30,
    reasoning_tokens=5,
    input_audio_tokens=7,
    input_image_tokens=3,
    output_image_tokens=4,
)
SCRIPTED = Response("{}", id="resp-1", model="gemini-2.5-flash-001", usage=USAGE)
BREAKDOWN = {
    "gen_ai.usage.cache_read.input_tokens": 30,
    "gen_ai.usage.reasoning.output_tokens": 5,
    "gen_ai.usage.text.input_tokens": 90,
    "gen_ai.usage.image.input_tokens": 3,
    "gen_ai.usage.audio.input_tokens": 7,
    "gen_ai.usage.text.output_tokens": 11,
    "gen_ai.usage.image.output_tokens": 4,
}


def expected(model: ScriptedModel, **changes: Any) -> dict[str, Any]:
    attributes = {
        "gen_ai.operation.name": "generate_content",
        "gen_ai.provider.name": "gcp.gemini",
        "gen_ai.request.model": MODEL,
        "server.address": "127.0.0.1",
        "server.port": model.port,
        "gen_ai.request.temperature": 0.0,
        "gen_ai.request.top_p": 0.5,
        "gen_ai.request.top_k": 40,
        "gen_ai.request.max_tokens": 100,
        "gen_ai.request.frequency_penalty": 0.1,
        "gen_ai.request.presence_penalty": 0.2,
        "gen_ai.request.seed": 7,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.request.choice.count": 2,
        "gen_ai.output.type": "json",
        "gen_ai.response.id": "resp-1",
        "gen_ai.response.model": "gemini-2.5-flash-001",
        "gen_ai.response.finish_reasons": ("stop", "stop"),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        **BREAKDOWN,
    }
    return {**attributes, **changes}


def send(client: Any, run: Any, **arguments: Any) -> None:
    client.models.generate_content(**arguments)


def send_async(client: Any, run: Any, **arguments: Any) -> None:
    def use(client: Any) -> Any:
        return client.models.generate_content(**arguments)

    run(use)


def camel_case(config: dict[str, Any]) -> dict[str, Any]:
    """Return the configuration in JSON's spelling, which the SDK takes too."""
    return {
        "".join(word.capitalize() if n else word for n, word in enumerate(name.split("_"))): value
        for name, value in config.items()
    }


def configuration(config: dict[str, Any]) -> Any:
    return genai.types.GenerateContentConfig(**config)


@pytest.mark.parametrize("send", [send, send_async])
@pytest.mark.parametrize("configure", [dict, camel_case, configuration])
@pytest.mark.usefixtures("instrumented")
def test_content(
    configure: Callable[[dict[str, Any]], Any],
    send: Callable[..., None],
    client: genai.Client,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(SCRIPTED)
    send(client, run, model=MODEL, contents=PROMPT, config=configure(CONFIG))
    check_whole(emission, f"generate_content {MODEL}", expected(model))


def stream(client: Any, run: Any, **arguments: Any) -> None:
    list(client.models.generate_content_stream(**arguments))


def stream_async(client: Any, run: Any, **arguments: Any) -> None:
    async def use(client: Any) -> None:
        async for _ in await client.models.generate_content_stream(**arguments):
            pass

    run(use)


@pytest.mark.parametrize("stream", [stream, stream_async])
@pytest.mark.usefixtures("instrumented")
def test_streamed_content(
    stream: Callable[..., None],
    client: genai.Client,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(SCRIPTED)
    stream(client, run, model=MODEL, contents=PROMPT, config=CONFIG)
    check_streamed(emission, expected(model, **{"gen_ai.request.stream": True}))


@pytest.mark.usefixtures("instrumented")
def test_vertex_ai(vertex: genai.Client, model: ScriptedModel, emission: Emission) -> None:
    model.script(SCRIPTED, SCRIPTED)
    vertex.models.generate_content(model=MODEL, contents=PROMPT, config=CONFIG)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  a plain dict
    provider = {"gen_ai.provider.name": "gcp.vertex_ai"}
    assert dict(emission.span.attributes or {}) == expected(model, **provider)


@pytest.mark.usefixtures("instrumented")
def test_the_metrics_of_the_previous_generation(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(SCRIPTED)
    client.models.generate_content(model=MODEL, contents=PROMPT)
    check_previous_metrics(emission, expected(model))


def test_the_metrics_of_the_latest_generation(
    client: genai.Client,
    model: ScriptedModel,
    emission: Emission,
    instrument: Callable[..., None],
) -> None:
    instrument(OTEL_AGENTS_METRICS="latest")
    usage = Usage(100, 20, cached_tokens=30, reasoning_tokens=5)
    model.script(Response("Hi", usage=usage))
    client.models.generate_content(model=MODEL, contents=PROMPT)
    details = {"cache_read.input_tokens": 30, "reasoning.output_tokens": 5}
    check_latest_metrics(emission, **details)


@pytest.mark.parametrize("by", ["client", "vertex"])
@pytest.mark.usefixtures("instrumented")
def test_embeddings(
    by: str, request: pytest.FixtureRequest, model: ScriptedModel, emission: Emission
) -> None:
    client: genai.Client = request.getfixturevalue(by)
    config: Any = {"output_dimensionality": 8}
    embedded = client.models.embed_content(
        model="text-embedding-004", contents=["a", "b"], config=config
    )
    assert [len(one.values or ()) for one in embedded.embeddings or ()] == [8, 8]
    span = emission.span
    assert (span.name, span.kind) == ("embeddings text-embedding-004", SpanKind.CLIENT)
    assert dict(span.attributes or {}) == {
        "gen_ai.operation.name": "embeddings",
        "gen_ai.provider.name": "gcp.gemini" if by == "client" else "gcp.vertex_ai",
        "gen_ai.request.model": "text-embedding-004",
        "gen_ai.embeddings.dimension.count": 8,
        "gen_ai.usage.input_tokens": model.ledger.input_tokens,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


@pytest.mark.parametrize(
    ("settings", "output_type"),
    [
        ({"response_schema": {"type": "OBJECT"}}, "json"),
        ({"response_modalities": ["TEXT", "IMAGE"]}, "image"),
        ({"response_modalities": ["AUDIO"]}, "speech"),
        ({"response_mime_type": "text/plain"}, "text"),
        ({}, None),
    ],
)
@pytest.mark.usefixtures("instrumented")
def test_the_output_type_is_what_is_requested(
    settings: dict[str, Any], output_type: str | None, client: genai.Client, emission: Emission
) -> None:
    client.models.generate_content(model=MODEL, contents=PROMPT, config=settings)  # type: ignore[arg-type]  # pyright: ignore[reportArgumentType]  a plain dict
    assert (emission.span.attributes or {}).get("gen_ai.output.type") == output_type


@pytest.mark.skipif(VERSION < (1, 60), reason="has no levels")
@pytest.mark.usefixtures("instrumented")
def test_the_level_of_thinking(client: genai.Client, emission: Emission) -> None:
    thinking: Any = {"thinking_config": {"thinking_level": "LOW"}}
    for config in (thinking, configuration(thinking)):
        client.models.generate_content(model=MODEL, contents=PROMPT, config=config)
    levels = [(s.attributes or {})["gen_ai.request.reasoning.level"] for s in emission.spans]
    assert levels == ["LOW", "LOW"]


@pytest.mark.usefixtures("instrumented")
def test_a_blocked_prompt_is_a_response_with_the_reason(
    client: genai.Client, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response(refusal="planted-secret"), Response(refusal="planted-secret"))
    client.models.generate_content(model=MODEL, contents=PROMPT)
    list(client.models.generate_content_stream(model=MODEL, contents=PROMPT))
    reasons = [(s.attributes or {})["gen_ai.response.finish_reasons"] for s in emission.spans]
    assert reasons == [("prohibited_content",)] * 2
    assert "planted-secret" not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_what_generates_nothing_is_no_call(client: genai.Client, emission: Emission) -> None:
    with pytest.raises(genai.errors.ClientError):  # the scripted model does not count tokens
        client.models.count_tokens(model=MODEL, contents=PROMPT)
    client.models.get(model=MODEL)
    assert emission.spans == ()
