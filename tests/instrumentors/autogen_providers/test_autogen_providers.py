"""AutoGen's model clients for each provider: one span per request, with its billed usage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any, cast

import pytest
from autogen_teams import assistant, round_robin, turn, user_messages
from provider_spans import attributes_of_call

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


FIRST_CHUNK = "gen_ai.response.time_to_first_chunk"
SWITCH = "AUTOGEN_DISABLE_RUNTIME_TRACING"
UNSAID = frozenset(
    {
        *("gen_ai.request.max_tokens", "gen_ai.request.temperature"),
        *("gen_ai.response.id", "gen_ai.response.model"),
        *("openai.api.type", "openai.response.service_tier"),
        "openai.response.system_fingerprint",
    }
)
"""What no client of AutoGen's says; the first two where they are the client's defaults."""


@dataclass(frozen=True)
class Provider:
    """A provider, and what its spans look like.

    Attributes:
        name: ``gen_ai.provider.name``, if the SDK is instrumented.
        model: The model.
        make: Returns a client for it.
        refusal: The error of a refused request.
        reasons: The provider's finish reasons of a response with a tool call, and of one with text.
        more: What the SDK's instrumentor records besides.
        server: Its address and port; that of the scripted model for None.
        code: The provider's code of that error, if the SDK's instrumentor records it.
    """

    name: str
    model: str
    make: Callable[[ScriptedModel], Any]
    refusal: str
    reasons: tuple[str, str] = ("tool_calls", "stop")
    more: dict[str, Any] = field(default_factory=dict[str, Any])
    server: tuple[str, int] | None = None
    code: str = ""

    @property
    def span(self) -> str:
        return f"chat {self.model}"

    def attributes(self, model: ScriptedModel, *, sdk: bool, stream: bool) -> list[dict[str, Any]]:
        """Return the attributes of its spans, one per response, but for durations."""
        reasons = self.reasons if sdk else ("tool_calls", "stop")
        host, port = self.server or ("127.0.0.1", model.port)
        spans = [
            {
                **attributes_of_call(
                    model, entry, reason, provider=self.name, requested=self.model, stream=stream
                ),
                "server.address": host,
                "server.port": port,
                **self.more,
            }
            for entry, reason in zip(model.ledger.entries, reasons, strict=True)
        ]
        return spans if sdk else [{n: span[n] for n in span if n not in UNSAID} for span in spans]


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


OPENAI: dict[str, Any] = {
    "openai.api.type": "chat_completions",
    "openai.response.service_tier": "default",
    "openai.response.system_fingerprint": "fp_scripted",
}
GOOGLE = ("generativelanguage.googleapis.com", 443)
PROVIDERS = {
    "anthropic": Provider(
        "anthropic",
        "claude-toy",
        claude,
        "anthropic.AuthenticationError",
        ("tool_use", "end_turn"),
        {"gen_ai.request.max_tokens": 4096, "gen_ai.request.temperature": 1.0},
        code="authentication_error",
    ),
    "azure": Provider(
        "azure.ai.openai",
        "gpt-4o-mini",
        azure,
        "openai.AuthenticationError",
        more={**OPENAI, "gen_ai.response.model": "gpt-4o-mini-2024-07-18"},
    ),
    "gemini": Provider(
        "gcp.gemini",
        "gemini-2.0-flash",
        gemini,
        "openai.AuthenticationError",
        more=OPENAI,
        server=GOOGLE,
    ),
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


@pytest.mark.parametrize("sdk", [True, False], ids=["sdk", "alone"])
@pytest.mark.parametrize("streaming", [False, True], ids=["whole", "stream"])
def test_an_agent_with_a_tool(
    sdk: bool,
    streaming: bool,
    provider: Provider,
    using: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
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
    timed = [span.pop(FIRST_CHUNK, None) is not None for span in recorded]
    assert timed == [streaming and sdk, streaming]  # AutoGen's clients yield only text by the piece
    assert recorded == provider.attributes(model, sdk=sdk, stream=streaming)


def test_with_the_sdk_tokens_from_a_cache_are_counted(
    provider: Provider,
    using: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
    balanced: Check,
) -> None:
    instrument()
    model.script(Response("well", usage=Usage(200, 7, cached_tokens=128)))
    using(whole)
    (span,) = spans(emission)
    assert span["gen_ai.usage.cache_read.input_tokens"] == 128
    balanced()


@pytest.mark.parametrize("sdk", [True, False], ids=["sdk", "alone"])
def test_a_team_whose_runtime_traces_too(
    sdk: bool,
    provider: Provider,
    using: Callable[..., Any],
    model: ScriptedModel,
    emission: Emission,
    instrument: Instrument,
    balanced: Check,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    theirs = Emission(noticing=True)
    monkeypatch.setattr("opentelemetry.trace._TRACER_PROVIDER", theirs.tracer_provider)
    monkeypatch.setenv(SWITCH, "false")
    instrument(sdk=sdk)
    model.script(Response("well", usage=Usage(200, 7)))

    def run(client: Any) -> Any:
        return round_robin(assistant("first", client), turns=1).run(task="go")

    using(run)
    assert sorted(emission.names) == sorted(
        line.strip() for line in ["invoke_workflow", *turn("first", provider.span)]
    )
    assert theirs.names
    assert not [name for name in theirs.names if not name.startswith("autogen ")]
    balanced()
    theirs.close()


@pytest.mark.parametrize("sdk", [True, False], ids=["sdk", "alone"])
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
    assert span["error.type"] == ((sdk and provider.code) or provider.refusal)
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
