"""The law of tokens: whatever client asks, each response is one span with what was billed."""

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
    """The one span of a model's call."""
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
def test_a_provider_whose_sdk_is_not_seen(
    model: ScriptedModel, emission: Emission, ledger: Check, streaming: bool
) -> None:
    usage = Usage(100, 9, cached_tokens=30, cache_write_tokens=20)
    model.script(Response("done", usage=usage))
    config = _CONFIG.AnthropicConfig(
        "claude-toy", api_key="none", base_url=model.base_url, streaming=streaming
    )
    assert run(lambda: agent("Guide", config).ask("Go")).body == "done"
    assert emission.tree() == turn_of("Guide", "chat claude-toy")
    told = dict(span(emission).attributes)
    told.pop("gen_ai.response.id", None)  # early versions keep none
    assert (told.pop("gen_ai.response.time_to_first_chunk", None) is not None) is streaming
    assert told == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "anthropic",
        "gen_ai.conversation.id": told["gen_ai.conversation.id"],
        "gen_ai.request.max_tokens": 4096,
        "gen_ai.request.model": "claude-toy",
        "gen_ai.response.model": told["gen_ai.response.model"],
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


@pytest.mark.usefixtures("instrumented")
def test_a_provider_whose_sdk_is_not_seen_and_that_refuses(
    model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(400, message="planted-secret"))
    config = _CONFIG.AnthropicConfig(
        "claude-toy", api_key="none", base_url=model.base_url, max_retries=0
    )
    with pytest.raises(import_module("anthropic").BadRequestError):
        run(lambda: agent("Guide", config).ask("Go"))
    assert emission.tree() == turn_of("Guide", "chat claude-toy")
    assert span(emission).attributes["error.type"] == "anthropic.BadRequestError"
    assert "planted-secret" not in emission.texts()


class Declared(_CONFIG.LLMClient):
    """A client of the application's own, of AG2's class."""

    def __init__(self, **told: Any) -> None:
        self._told = told

    async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
        return _EVENTS.ModelResponse(_EVENTS.ModelMessage("done"), **self._told)


class Duck:
    """A client that is one by its shape alone."""

    def __init__(self, **told: Any) -> None:
        self._told = told

    async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
        return _EVENTS.ModelResponse(_EVENTS.ModelMessage("done"), **self._told)


class Own(_CONFIG.ModelConfig):
    """A configuration of the application's own."""

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
@pytest.mark.parametrize("kind", [Declared, Duck])
def test_a_client_that_tells_what_it_knows(emission: Emission, kind: Any) -> None:
    usage = _EVENTS.Usage(prompt_tokens=7.0, completion_tokens=3.0, thinking_tokens=1.0)
    told = {"provider": "acme", "model": "acme-2", "finish_reason": "stop", "usage": usage}
    run(lambda: agent("Guide", Own(kind(**told), "acme-latest")).ask("Go"))
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
@pytest.mark.parametrize("kind", [Declared, Duck])
def test_a_client_that_tells_nothing(emission: Emission, kind: Any) -> None:
    run(lambda: agent("Guide", Own(kind())).ask("Go"))
    assert emission.tree() == turn_of("Guide", "chat")
    assert span(emission).attributes["gen_ai.provider.name"] == "custom"


@pytest.mark.usefixtures("instrumented")
def test_a_client_that_raises(emission: Emission) -> None:
    class Broken(Declared):
        async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
            raise ConnectionError("planted-secret")

    with pytest.raises(ConnectionError):
        run(lambda: agent("Guide", Own(Broken(), "acme")).ask("Go"))
    assert span(emission).attributes["error.type"] == "ConnectionError"
    assert "planted-secret" not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_what_ag2_itself_refuses_is_not_sent(model: ScriptedModel, emission: Emission) -> None:
    error: Any = import_module("ag2.exceptions").UnsupportedToolError
    web: Any = import_module("ag2.tools").WebSearchTool()
    config = _CONFIG.AnthropicConfig("claude", api_key="none", base_url=model.base_url)

    class Refusing(Declared):
        async def __call__(self, messages: Any, context: Any, **_: Any) -> Any:
            raise error(str(web), config.model)

    with pytest.raises(error):
        run(lambda: agent("Guide", Own(Refusing(), "acme")).ask("Go"))
    assert emission.tree() == ["invoke_agent Guide"]
    assert model.ledger.requests == 0


@pytest.mark.parametrize("sdk", [False, True])
def test_a_history_that_cannot_be_written_down_is_not_sent(
    config: Any,
    model: ScriptedModel,
    emission: Emission,
    ledger: Check,
    instrument: Instrument,
    sdk: bool,
) -> None:
    """A model asks for a tool in broken JSON, on which AG2 stumbles when it asks again."""
    instrument(sdk=sdk)
    model.script(Response(tool_calls=[ToolCall("get_weather", "{broken")]))
    with pytest.raises(json.JSONDecodeError):
        run(lambda: agent("Guide", config, tools=[get_weather]).ask("Go"))
    assert emission.tree() == turn_of("Guide", CHAT, "execute_tool get_weather")
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_a_client_around_another_is_counted_once(
    config: Any, emission: Emission, ledger: Check
) -> None:
    tracked: Any = import_module("ag2.testing").TrackingConfig(config)
    run(lambda: agent("Guide", tracked).ask("Go"))
    assert emission.tree() == turn_of("Guide")
    ledger()


@pytest.mark.usefixtures("instrumented")
def test_a_conversation_that_is_summed_up(
    config: Any, model: ScriptedModel, emission: Emission, ledger: Check
) -> None:
    compact: Any = import_module("ag2.compact")
    knowledge: Any = import_module("ag2.knowledge")
    kept = import_module("ag2").KnowledgeConfig(
        store=knowledge.MemoryKnowledgeStore(),
        compact=compact.SummarizeCompact(target=1, config=config),
        compact_trigger=compact.CompactTrigger(max_events=1),
        expose_tool=False,
    )

    async def main() -> None:
        reply = await agent("Guide", config, knowledge=kept).ask("Where to?")
        await reply.ask("And then?")

    run(main)
    assert model.ledger.requests > 2
    spans = [span for span in emission.spans if span.name == CHAT]
    assert len(spans) == model.ledger.requests
    assert emission.traces() == 2
    ledger()


def test_the_metrics_are_those_of_the_calls(
    instrument: Instrument, model: ScriptedModel, config: Any, emission: Emission
) -> None:
    instrument(sdk=False)
    run(lambda: agent("Guide", config).ask("Go"))
    points = emission.points()["gen_ai.client.token.usage"]
    billed = model.ledger.input_tokens + model.ledger.output_tokens
    assert sum(total for _, total in points) == billed
