"""The model clients that AutoGen has for each provider: one span per request, as it was billed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import pytest
from autogen_teams import assistant, said

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall, Usage

httpx, anthropic, openai = (  # types are checked where they are not installed too
    cast("Any", import_module(name))
    for name in ("httpx", "autogen_ext.models.anthropic", "autogen_ext.models.openai")
)
Check = Callable[[], None]
Instrument = Callable[..., None]
SECRET = "planted-secret"
INFO: Any = {
    "vision": False,
    "function_calling": True,
    "json_output": False,
    "family": "unknown",
    "structured_output": False,
}
TOLD: dict[str, Any] = {"stream_options": {"include_usage": True}}


@dataclass(frozen=True)
class Provider:
    """``make`` makes a client that asks a model; ``seen``: the SDK below is instrumented too."""

    name: str
    asked: str
    make: Callable[[ScriptedModel], Any]
    seen: bool = True
    host: str = "127.0.0.1"


def redirecting(port: int) -> Any:
    """A client that leads every request to this process, wherever it is for."""

    async def lead(request: Any) -> None:
        request.url = request.url.copy_with(scheme="http", host="127.0.0.1", port=port)

    return httpx.AsyncClient(event_hooks={"request": [lead]})


def azure(model: ScriptedModel) -> Any:
    return openai.AzureOpenAIChatCompletionClient(
        model="gpt-4o-mini",
        azure_endpoint=model.base_url,
        azure_deployment="gpt-4o-mini",
        api_version="2024-10-21",
        api_key="none",
        **TOLD,
    )


def claude(model: ScriptedModel) -> Any:
    return anthropic.AnthropicChatCompletionClient(
        model="claude-toy", base_url=model.base_url, api_key="none", model_info=INFO
    )


def gemini(model: ScriptedModel) -> Any:
    """AutoGen knows by the model's name whom to ask."""
    through = redirecting(model.port)
    more: dict[str, Any] = {**TOLD, "http_client": through}
    return openai.OpenAIChatCompletionClient(model="gemini-2.0-flash", api_key="none", **more)


GOOGLE = "generativelanguage.googleapis.com"
PROVIDERS = {
    "anthropic": Provider("anthropic", "chat claude-toy", claude, seen=False),
    "azure": Provider("azure.ai.openai", "chat gpt-4o-mini", azure),
    "gemini": Provider("gcp.gemini", "chat gemini-2.0-flash", gemini, host=GOOGLE),
}


@pytest.fixture(params=PROVIDERS)
def provider(request: pytest.FixtureRequest) -> Provider:
    return PROVIDERS[request.param]


@pytest.fixture
def using(provider: Provider, model: ScriptedModel) -> Callable[..., Any]:
    """Does something with a client of the provider's, and closes it in the same loop."""

    def use(work: Callable[[Any], Awaitable[Any]]) -> Any:
        async def closing() -> Any:
            client = provider.make(model)
            try:
                return await work(client)
            finally:
                await client._client.close()

        return asyncio.run(closing())

    return use


def spans(emission: Emission) -> list[dict[str, Any]]:
    return [dict(s.attributes or {}) for s in emission.spans if s.name.startswith("chat")]


async def weather(city: str) -> str:
    """Tells the weather."""
    return f"sunny in {city}"


async def streamed(client: Any) -> Any:
    return [item async for item in client.create_stream(said("go"))][-1]


async def whole(client: Any) -> Any:
    return await client.create(said("go"))


@pytest.mark.parametrize("sdk", [True, False])
@pytest.mark.parametrize("streaming", [False, True])
def test_an_agent_with_a_tool(
    sdk: bool,
    streaming: bool,
    provider: Provider,
    using: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
    balanced: Check,
) -> None:
    instrument(sdk=sdk)
    call = ToolCall("weather", {"city": "Bern"})
    asking = Response(tool_calls=[call], usage=Usage(100, 9))  # nothing from a cache: AutoGen's
    model.script(asking, Response("well", usage=Usage(200, 7)))  # client of Anthropic drops it

    async def work(client: Any) -> Any:
        more = {"tools": [weather], "reflect_on_tool_use": True, "model_client_stream": streaming}
        return (await assistant("first", client, **more).run(task="go")).messages[-1].content

    assert using(work) == "well"
    assert emission.tree() == [
        "invoke_agent first",
        f"  {provider.asked}",
        "  execute_tool weather",
        f"  {provider.asked}",
    ]
    told = spans(emission)
    assert [span["gen_ai.provider.name"] for span in told] == [provider.name] * 2
    assert [span["gen_ai.response.finish_reasons"] for span in told] == [
        ("tool_calls",),
        ("stop",),
    ]
    assert {span["server.address"] for span in told} == {provider.host}
    assert [span.get("gen_ai.request.stream", False) for span in told] == [streaming] * 2
    if sdk and provider.seen:
        ids = [entry.response_id for entry in model.ledger.entries]
        assert [span["gen_ai.response.id"] for span in told] == ids
    balanced()


@pytest.mark.parametrize("sdk", [True, False])
@pytest.mark.parametrize("ask", [whole, streamed])
def test_a_refusal(
    sdk: bool,
    ask: Callable[[Any], Awaitable[Any]],
    using: Callable[..., Any],
    provider: Provider,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    model.script_by(lambda request: Failure(401, message=SECRET))
    with pytest.raises(Exception, match=SECRET):
        using(ask)
    (span,) = spans(emission)
    sdk_name = "openai" if provider.seen else "anthropic"
    assert span["error.type"] == f"{sdk_name}.AuthenticationError"
    assert span["gen_ai.provider.name"] == provider.name
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("ask", [whole, streamed])
def test_without_content_nothing_of_it_leaves(
    ask: Callable[[Any], Awaitable[Any]],
    using: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
    balanced: Check,
) -> None:
    model.script(Response(SECRET, usage=Usage(100, 9)))
    assert using(ask).content == SECRET
    assert SECRET not in emission.texts()
    balanced()
