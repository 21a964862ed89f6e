"""Each response of any model client is one span with the billed tokens."""

from __future__ import annotations

import json
from collections.abc import Callable
from importlib import import_module
from typing import Any

import pytest
from ag2_agents import CHAT, agent, get_weather, run, turn_of

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall, Usage

Check = Callable[[], None]
Instrument = Callable[..., None]
_CONFIG: Any = import_module("ag2.config")
_EVENTS: Any = import_module("ag2.events")


def span(emission: Emission) -> Any:
    """Return the only span of a model call."""
    (found,) = [span for span in emission.spans if span.name.startswith("chat")]
    return found


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streaming", [False, True])
def test_the_responses_api(
    model: ScriptedModel, emission: Emission, ledger: Check, streaming: bool
) -> None:
    config = _CONFIG.OpenAIResponsesConfig(
        "gpt-4o-mini", api_key="none", base_url=model.openai_url, streaming=streaming
    )
    assert run(lambda: agent("Guide", config).ask("Go")).body == "done"
    assert emission.tree() == turn_of("Guide")
    ledger()


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("streaming", [False, True])
def test_a_provider_without_an_instrumented_sdk(
    model: ScriptedModel, emission: Emission, ledger: Check, streaming: bool
) -> None:
    usage = Usage(100, 9, cached_tokens=30, cache_write_tokens=20)
    model.script(Response("done", usage=usage))
    config = _CONFIG.AnthropicConfig(
        "claude-toy", api_key="none", base_url=model.base_url, streaming=streaming
    )
    assert run(lambda: agent("Guide", config).ask("Go")).body == "done"
    assert emission.tree() == turn_of("Guide", "chat claude-toy")
    reported = dict(span(emission).attributes)
    reported.pop("gen_ai.response.id", None)  # AG2 1.0 keeps none
    assert (reported.pop("gen_ai.response.time_to_first_chunk", None) is not None) is streaming
    assert reported == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.conversation.id": reported["gen_ai.conversation.id"],
        "gen_ai.request.max_tokens": 4096,
        "gen_ai.request.model": "claude-toy",
        "gen_ai.response.model": reported["gen_ai.response.model"],
        "gen_ai.response.finish_reasons": ("end_turn",),
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 9,
        "gen_ai.usage.cache_read.input_tokens": 30,
        "gen_ai.usage.cache_write.input_tokens": 20,
        "server.address": "127.0.0.1",
        "server.port": model.port,
        **({"gen_ai.request.stream": True} if streaming else {}),
    }
    ledger()


@pytest.mark.parametrize(
    ("sdk", "code"), [(True, "invalid_request_error"), (False, "anthropic.BadRequestError")]
)
def test_an_error_of_a_provider(
    sdk: bool, code: str, model: ScriptedModel, emission: Emission, instrument: Instrument
) -> None:
    instrument(sdk=sdk)
    model.script(Failure(400, message="planted-secret"))
    config = _CONFIG.AnthropicConfig(
        "claude-toy", api_key="none", base_url=model.base_url, max_retries=0
    )
    with pytest.raises(import_module("anthropic").BadRequestError):
        run(lambda: agent("Guide", config).ask("Go"))
    assert emission.tree() == turn_of("Guide", "chat claude-toy")
    assert span(emission).attributes["error.type"] == code
    assert "planted-secret" not in emission.texts()


class DerivedClient(_CONFIG.LLMClient):
    """A custom client that derives from AG2's class."""

    def __init__(self, **reported: Any) -> None:
        self._fields = reported

    async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
        return _EVENTS.ModelResponse(_EVENTS.ModelMessage("done"), **self._fields)


class DuckTypedClient:
    """A custom client that does not derive from AG2's class."""

    def __init__(self, **reported: Any) -> None:
        self._fields = reported

    async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
        return _EVENTS.ModelResponse(_EVENTS.ModelMessage("done"), **self._fields)


class CustomConfig(_CONFIG.ModelConfig):
    """A custom configuration."""

    def __init__(self, client: Any, model: str | None = None) -> None:
        self._client = client
        self._model = model

    @property
    def model(self) -> str:
        if self._model is None:
            raise NotImplementedError
        return self._model

    def copy(self) -> Any:
        return self

    def create(self) -> Any:
        return self._client


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("kind", [DerivedClient, DuckTypedClient])
def test_a_custom_client_that_reports_usage(emission: Emission, kind: Any) -> None:
    usage = _EVENTS.Usage(prompt_tokens=7.0, completion_tokens=3.0, thinking_tokens=1.0)
    reported = {"provider": "acme", "model": "acme-2", "finish_reason": "stop", "usage": usage}
    run(lambda: agent("Guide", CustomConfig(kind(**reported), "acme-latest")).ask("Go"))
    assert emission.tree() == turn_of("Guide", "chat acme-latest")
    assert {
        name: value
        for name, value in span(emission).attributes.items()
        if name != "gen_ai.conversation.id"
    } == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "acme",
        "gen_ai.request.model": "acme-latest",
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.model": "acme-2",
        "gen_ai.usage.input_tokens": 7,
        "gen_ai.usage.output_tokens": 3,
        "gen_ai.usage.reasoning.output_tokens": 1,
    }


@pytest.mark.usefixtures("instrumented")
def test_a_custom_client_of_a_known_provider(emission: Emission) -> None:
    usage = _EVENTS.Usage(prompt_tokens=7.0, completion_tokens=3.0, cache_read_input_tokens=2.0)
    client = DerivedClient(provider="bedrock", model="acme-2", finish_reason="stop", usage=usage)
    run(lambda: agent("Guide", CustomConfig(client, "acme-latest")).ask("Go"))
    reported = span(emission).attributes
    assert reported["gen_ai.provider.name"] == "aws.bedrock"
    assert reported["gen_ai.response.model"] == "acme-2"  # AG2's own client repeats the request's
    assert reported["gen_ai.usage.input_tokens"] == 9  # in AG2's terms for this provider


@pytest.mark.usefixtures("instrumented")
@pytest.mark.parametrize("kind", [DerivedClient, DuckTypedClient])
def test_a_custom_client_that_reports_nothing(emission: Emission, kind: Any) -> None:
    run(lambda: agent("Guide", CustomConfig(kind())).ask("Go"))
    assert emission.tree() == turn_of("Guide", "chat")
    assert span(emission).attributes["gen_ai.provider.name"] == "custom"


@pytest.mark.usefixtures("instrumented")
def test_a_custom_client_that_raises(emission: Emission) -> None:
    class FailingClient(DerivedClient):
        async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
            raise ConnectionError("planted-secret")

    with pytest.raises(ConnectionError):
        run(lambda: agent("Guide", CustomConfig(FailingClient(), "acme")).ask("Go"))
    assert span(emission).attributes["error.type"] == "ConnectionError"
    assert "planted-secret" not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_request_that_ag2_refuses_has_no_span(model: ScriptedModel, emission: Emission) -> None:
    error: Any = import_module("ag2.exceptions").UnsupportedToolError
    web: Any = import_module("ag2.tools").WebSearchTool()
    config = _CONFIG.AnthropicConfig("claude", api_key="none", base_url=model.base_url)

    class RefusingClient(DerivedClient):
        async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
            raise error(str(web), config.model)

    with pytest.raises(error):
        run(lambda: agent("Guide", CustomConfig(RefusingClient(), "acme")).ask("Go"))
    assert emission.tree() == ["invoke_agent Guide"]
    assert model.ledger.requests == 0


@pytest.mark.parametrize("sdk", [False, True])
def test_a_request_that_cannot_be_serialized_has_no_span(
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    ledger: Check,
    instrument: Instrument,
    sdk: bool,
) -> None:
    """The model calls a tool with invalid JSON, and AG2 fails to build the next request from it."""
    instrument(sdk=sdk)
    model.script(Response(tool_calls=[ToolCall("get_weather", "{broken")]))
    with pytest.raises(json.JSONDecodeError):
        run(lambda: agent("Guide", config, tools=[get_weather]).ask("Go"))
    assert emission.tree() == turn_of("Guide", CHAT, "execute_tool get_weather")
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_a_client_that_wraps_another_is_counted_once(
    config: Any, emission: Emission, ledger: Check
) -> None:
    tracked: Any = import_module("ag2.testing").TrackingConfig(config)
    run(lambda: agent("Guide", tracked).ask("Go"))
    assert emission.tree() == turn_of("Guide")
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_a_compacted_conversation(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    compact: Any = import_module("ag2.compact")
    knowledge: Any = import_module("ag2.knowledge")
    compacting = import_module("ag2").KnowledgeConfig(
        store=knowledge.MemoryKnowledgeStore(),
        compact=compact.SummarizeCompact(target=1, config=config),
        compact_trigger=compact.CompactTrigger(max_events=1),
        expose_tool=False,
    )

    async def main() -> None:
        reply = await agent("Guide", config, knowledge=compacting).ask("Where to?")
        await reply.ask("And then?")

    run(main)
    assert model.ledger.requests > 2
    spans = [span for span in emission.spans if span.name == CHAT]
    assert len(spans) == model.ledger.requests
    assert emission.traces() == 2
    ledger()


def test_token_metrics_match_the_bill(
    instrument: Instrument, model: ScriptedModel, config: Any, emission: Emission
) -> None:
    instrument(sdk=False)
    run(lambda: agent("Guide", config).ask("Go"))
    points = emission.points()["gen_ai.client.token.usage"]
    billed = model.ledger.input_tokens + model.ledger.output_tokens
    assert sum(total for _, total in points) == billed
