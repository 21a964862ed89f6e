"""Provider and host of a call, the clouds' clients, and which hosts get trace headers."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import anthropic
import pytest
from anthropic.lib.bedrock import AnthropicBedrock
from anthropic_calls import MESSAGES, VERSION
from header_laws import HeaderLaws

from otel_agents.instrumentors.anthropic._requests import ENDPOINTS
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    ErrorEvent,
    Failure,
    Response,
    ScriptedModel,
    Usage,
)

AWS: dict[str, Any] = {
    "aws_access_key": "none",
    "aws_secret_key": "none",
    "aws_region": "eu-west-1",
}
VERTEX: dict[str, Any] = {"project_id": "p", "region": "europe-west1", "access_token": "none"}
CLAUDE = "anthropic.claude-4-v1:0"
REQUEST: dict[str, Any] = {"max_tokens": 9, "messages": MESSAGES}
USAGE = Usage(100, 20, cached_tokens=30, cache_write_tokens=5)


@pytest.mark.parametrize(
    ("url", "endpoint"),
    [
        ("https://api.anthropic.com", ("anthropic", "api.anthropic.com", 443, False)),
        ("https://api.deepseek.com/anthropic", ("deepseek", "api.deepseek.com", 443, False)),
        ("https://api.moonshot.ai/anthropic", ("moonshot_ai", "api.moonshot.ai", 443, False)),
        ("http://localhost:8080", ("anthropic", "localhost", 8080, True)),
        (
            "https://r.services.ai.azure.com/anthropic",
            ("anthropic", "r.services.ai.azure.com", 443, True),
        ),
    ],
)
def test_the_provider_of_a_host(url: str, endpoint: tuple[Any, ...]) -> None:
    with anthropic.Anthropic(base_url=url, api_key="none") as client:
        assert tuple(ENDPOINTS.of(client)) == endpoint


def clouds() -> dict[str, tuple[dict[str, Any], str, str]]:
    """Return by class of the client: its arguments, its path below the base URL, and the provider."""
    known: dict[str, tuple[dict[str, Any], str, str]] = {
        "AnthropicBedrock": (AWS, "", "aws.bedrock"),
        "AnthropicVertex": (VERTEX, "/v1", "gcp.vertex_ai"),
    }
    if VERSION >= (1, 0):
        known["AnthropicFoundry"] = ({"api_key": "none"}, "/anthropic", "anthropic")
    if VERSION >= (2, 0):
        known["AnthropicBedrockMantle"] = ({**AWS}, "", "aws.bedrock")
    return known


CLOUDS = [pytest.param(name, *row, id=name) for name, row in clouds().items()]


def create(client: Any, asynchronous: bool, **arguments: Any) -> None:
    async def send() -> None:
        async with client:
            await client.messages.create(**arguments)

    if asynchronous:
        asyncio.run(send())
    else:
        client.messages.create(**arguments)


def read(client: Any, asynchronous: bool, **arguments: Any) -> None:
    async def send() -> None:
        async with client:
            async for _ in await client.messages.create(**arguments, stream=True):
                pass

    if asynchronous:
        asyncio.run(send())
    else:
        list(client.messages.create(**arguments, stream=True))


@pytest.mark.parametrize("send", [create, read])
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("name", "arguments", "path", "provider"), CLOUDS)
@pytest.mark.usefixtures("instrumented")
def test_a_cloud(
    name: str,
    arguments: dict[str, Any],
    path: str,
    provider: str,
    asynchronous: bool,
    send: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """0.30 edits the options in place: the model and `stream` leave the body."""
    model.script(Response("Hi", id="msg_1", usage=USAGE))
    kind: Any = getattr(anthropic, f"Async{name}" if asynchronous else name)
    client = kind(base_url=f"{model.base_url}{path}", max_retries=0, **arguments)
    send(client, asynchronous, model=CLAUDE, **REQUEST)
    attributes = dict(emission.span.attributes or {})
    streamed = send is read
    assert (
        isinstance(attributes.pop("gen_ai.response.time_to_first_chunk", None), float) is streamed
    )
    assert emission.span.name == f"chat {CLAUDE}"
    assert attributes == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": provider,
        "gen_ai.request.model": CLAUDE,
        "gen_ai.request.max_tokens": 9,
        **({"gen_ai.request.stream": True} if streamed else {}),
        "gen_ai.response.id": "msg_1",
        "gen_ai.response.model": CLAUDE,
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_write.input_tokens": 5,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }
    assert (model.ledger.input_tokens, model.ledger.output_tokens) == (100, 20)


def passing(request: Any, call_next: Callable[[Any], Any]) -> Any:
    return call_next(request)


@pytest.mark.skipif(VERSION < (0, 108), reason="has no middleware")
@pytest.mark.parametrize("send", [create, read])
@pytest.mark.parametrize(("name", "arguments", "path", "provider"), CLOUDS)
@pytest.mark.usefixtures("instrumented")
def test_a_cloud_with_middleware(
    name: str,
    arguments: dict[str, Any],
    path: str,
    provider: str,
    send: Callable[..., None],
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """What it sends is read before the client rewrites it for the cloud; a retry is the same request."""
    model.script(Failure(500, headers={"retry-after-ms": "1"}), Response("Hi", usage=USAGE))
    kind: Any = getattr(anthropic, name)
    url = f"{model.base_url}{path}"
    with kind(base_url=url, max_retries=1, middleware=[passing], **arguments) as client:
        send(client, False, model=CLAUDE, **REQUEST)
    attributes = dict(emission.span.attributes or {})
    names = ("provider.name", "request.model", "usage.input_tokens", "usage.output_tokens")
    recorded = [attributes[f"gen_ai.{name}"] for name in names]
    assert recorded == [provider, CLAUDE, model.ledger.input_tokens, model.ledger.output_tokens]


@pytest.mark.parametrize(("name", "arguments", "path", "provider"), CLOUDS)
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_a_cloud(
    name: str,
    arguments: dict[str, Any],
    path: str,
    provider: str,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    name_of_error = "ThrottlingException:http://internal.amazon.com/coral/"
    model.script(Failure(429, headers={"x-amzn-errortype": name_of_error}))
    code = "ThrottlingException" if name == "AnthropicBedrock" else "rate_limit_error"
    kind: Any = getattr(anthropic, name)
    with (
        kind(base_url=f"{model.base_url}{path}", max_retries=0, **arguments) as client,
        pytest.raises(anthropic.RateLimitError),
    ):
        client.messages.create(model=CLAUDE, **REQUEST)
    attributes = dict(emission.span.attributes or {})
    assert attributes["error.type"] == code
    assert attributes["gen_ai.provider.name"] == provider


@pytest.fixture
def bedrock(model: ScriptedModel) -> Iterator[AnthropicBedrock]:
    with AnthropicBedrock(base_url=model.base_url, max_retries=0, **AWS) as client:
        yield client


def parse(bedrock: AnthropicBedrock) -> None:
    create = bedrock.messages.with_raw_response.create
    list(create(model=CLAUDE, stream=True, **REQUEST).parse())


def read_bytes(bedrock: AnthropicBedrock) -> None:
    create = bedrock.messages.with_streaming_response.create
    with create(model=CLAUDE, stream=True, **REQUEST) as response:
        list(response.iter_bytes(100))


@pytest.mark.parametrize("send", [parse, read_bytes])
@pytest.mark.usefixtures("instrumented")
def test_a_raw_stream_of_bedrock(
    send: Callable[[Any], None],
    bedrock: AnthropicBedrock,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """Its events are in Amazon's framing, not server-sent."""
    model.script(Response("Hi", usage=USAGE))
    send(bedrock)
    attributes = dict(emission.span.attributes or {})
    assert attributes["gen_ai.usage.input_tokens"] == model.ledger.input_tokens
    assert attributes["gen_ai.usage.output_tokens"] == model.ledger.output_tokens
    assert attributes["gen_ai.response.finish_reasons"] == ("end_turn",)


@pytest.mark.usefixtures("instrumented")
def test_an_error_in_a_raw_stream_of_bedrock(
    bedrock: AnthropicBedrock, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Hi", fault=ErrorEvent(3, "throttlingException")))
    read_bytes(bedrock)
    assert (emission.span.attributes or {})["error.type"] == "ThrottlingException"


class TestHeaders(HeaderLaws):
    """The SDK's own spans, from 2.11 on, would send them to every host."""
