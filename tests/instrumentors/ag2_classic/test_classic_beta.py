"""``autogen.beta``, the package of AG2's agents before 1.0, is recorded like ``ag2``."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import pytest

from otel_agents.instrumentors.ag2 import AG2Instrumentor
from otel_agents.instrumentors.openai import OpenAIInstrumentor
from otel_agents.testing.emission import Emission
from otel_agents.testing.instrumentation import instrumenting
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

CHAT = "chat gpt-4o-mini"
HAS_BETA = find_spec("autogen") is not None and find_spec("autogen.beta") is not None

pytestmark = pytest.mark.skipif(not HAS_BETA, reason="this version has none")


@pytest.fixture(params=[True, False], ids=["sdk on", "sdk off"])
def recorded(request: pytest.FixtureRequest, emission: Emission) -> Iterator[None]:
    with instrumenting(emission, AG2Instrumentor(), OpenAIInstrumentor()) as instrument:
        instrument(sdk=request.param)
        yield


@pytest.fixture
def config(model: ScriptedModel) -> Any:
    configs: Any = import_module("autogen.beta.config")
    return configs.OpenAIConfig(model="gpt-4o-mini", api_key="none", base_url=model.openai_url)


@pytest.mark.usefixtures("recorded")
def test_two_turns_of_an_agent_with_a_tool(
    config: Any, model: ScriptedModel, emission: Emission
) -> None:
    beta: Any = import_module("autogen.beta")

    def weather(city: str) -> str:
        """Tell the weather."""
        return f"sun in {city}"

    async def main() -> None:
        agent = beta.Agent("guide", prompt="p", config=config, tools=[beta.tool(weather)])
        reply = await agent.ask("Rome?")
        assert reply.response.content == "sunny"
        await reply.ask("And Bern?")

    call = ToolCall("weather", {"city": "Rome"}, id="call_1")
    model.script(Response(tool_calls=[call]), Response("sunny"), Response("so too"))
    asyncio.run(main())
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool weather",
        f"  {CHAT}",
        "invoke_agent guide",
        f"  {CHAT}",
    ]
    spans: list[Any] = list(emission.spans)
    conversations = {span.attributes.get("gen_ai.conversation.id") for span in spans}
    assert len(conversations) == 1
    (tool,) = [span for span in spans if span.name == "execute_tool weather"]
    assert tool.attributes["gen_ai.tool.call.id"] == "call_1"
    reported = sorted(s.attributes["gen_ai.usage.input_tokens"] for s in spans if s.name == CHAT)
    assert reported == sorted(entry.input_tokens for entry in model.ledger.entries)


@pytest.mark.usefixtures("recorded")
def test_every_target_exists() -> None:
    for module in ("network", "middleware.builtin.telemetry"):
        import_module(f"autogen.beta.{module}")
    assert str(AG2Instrumentor().report()) == "11 of 11 applied"
