"""AutoGen's model clients for each provider: one span per request, with its billed usage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, cast

import pytest
from autogen_teams import assistant, user_messages

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
WITH_USAGE: dict[str, Any] = {"stream_options": {"include_usage": True}}


@dataclass(frozen=True)
class Provider:
    """``make`` returns a client for a model; ``seen``: the SDK below is instrumented too."""

    name: str
    span: str
    make: Callable[[ScriptedModel], Any]
    seen: bool = True
    host: str = "127.0.0.1"


def redirecting(port: int) -> Any:
    """Return an HTTP client that redirects every request to this process."""

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
        **WITH_USAGE,
    )


def claude(model: ScriptedModel) -> Any:
    return anthropic.AnthropicChatCompletionClient(
        model="claude-toy", base_url=model.base_url, api_key="none", model_info=INFO
    )


def gemini(model: ScriptedModel) -> Any:
    """AutoGen derives the host from the model's name."""
    through = redirecting(model.port)
    more: dict[str, Any] = {**WITH_USAGE, "http_client": through}
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
    """Return a function that uses a client of the provider, and closes it in the same loop."""

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
    """Tell the weather."""
    return f"sunny in {city}"


async def streamed(client: Any) -> Any:
    return [item async for item in client.create_stream(user_messages("go"))][-1]


async def whole(client: Any) -> Any:
    return await client.create(user_messages("go"))


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
    request = Response(tool_calls=[call], usage=Usage(100, 9))  # nothing from a cache: AutoGen's
    model.script(request, Response("well", usage=Usage(200, 7)))  # client of Anthropic drops it

    async def work(client: Any) -> Any:
        more = {"tools": [weather], "reflect_on_tool_use": True, "model_client_stream": streaming}
        return (await assistant("first", client, **more).run(task="go")).messages[-1].content

    assert using(work) == "well"
    assert emission.tree() == [
        "invoke_agent first",
        f"  {provider.span}",
        "  execute_tool weather",
        f"  {provider.span}",
    ]
    recorded = spans(emission)
    assert [span["gen_ai.provider.name"] for span in recorded] == [provider.name] * 2
    assert [span["gen_ai.response.finish_reasons"] for span in recorded] == [
        ("tool_calls",),
        ("stop",),
    ]
    assert {span["server.address"] for span in recorded} == {provider.host}
    assert [span.get("gen_ai.request.stream", False) for span in recorded] == [streaming] * 2
    if sdk and provider.seen:
        ids = [entry.response_id for entry in model.ledger.entries]
        assert [span["gen_ai.response.id"] for span in recorded] == ids
    balanced()


@pytest.mark.parametrize("sdk", [True, False])
@pytest.mark.parametrize("call", [whole, streamed])
def test_a_refusal(
    sdk: bool,
    call: Callable[[Any], Awaitable[Any]],
    using: Callable[..., Any],
    provider: Provider,
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
) -> None:
    instrument(sdk=sdk)
    model.script_by(lambda request: Failure(401, message=SECRET))
    with pytest.raises(Exception, match=SECRET):
        using(call)
    (span,) = spans(emission)
    sdk_name = "openai" if provider.seen else "anthropic"
    assert span["error.type"] == f"{sdk_name}.AuthenticationError"
    assert span["gen_ai.provider.name"] == provider.name
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("call", [whole, streamed])
def test_without_content_nothing_of_it_leaves(
    call: Callable[[Any], Awaitable[Any]],
    using: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
    balanced: Check,
) -> None:
    model.script(Response(SECRET, usage=Usage(100, 9)))
    assert using(call).content == SECRET
    assert SECRET not in emission.texts()
    balanced()
