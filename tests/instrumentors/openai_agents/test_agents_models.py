"""Models: one span for each response, by the SDK below or by this layer."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import openai
import pytest
from openai.types.responses import ResponseFunctionWebSearch
from openai_agents_models import Scripted, call, reply
from openai_agents_runs import CHAT, agents, assistant, finished, started, weather

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, ScriptedModel

Runs = pytest.mark.parametrize("start", [finished, started])
OWN = "chat own-model"


def attributes(emission: Emission, name: str) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in emission.spans if span.name == name]


@Runs
@pytest.mark.usefixtures("instrumented")
def test_a_model_of_the_application(run: Any, start: Any, emission: Emission) -> None:
    own = Scripted([call("weather", '{"city": "Bern"}', "call_1")], [reply("Sunny.")])
    result = run(start(assistant(own=own, tools=[weather])))
    assert result.final_output == "Sunny."
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {OWN}",
        "  execute_tool weather",
        f"  {OWN}",
    ]
    streamed = {"gen_ai.request.stream": True} if start is started else {}
    expected = {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "custom",
        "gen_ai.request.model": "own-model",
        "gen_ai.usage.input_tokens": 5,
        "gen_ai.usage.output_tokens": 7,
        **streamed,
    }
    first, last = attributes(emission, OWN)
    for found in (first, last):
        found.pop("gen_ai.response.time_to_first_chunk", None)
    assert first == {**expected, "gen_ai.response.finish_reasons": ("tool_calls",)}
    assert last == {**expected, "gen_ai.response.finish_reasons": ("stop",)}
    (agent,) = attributes(emission, "invoke_agent guide")
    assert (agent["gen_ai.usage.input_tokens"], agent["gen_ai.usage.output_tokens"]) == (10, 14)


@Runs
@pytest.mark.usefixtures("instrumented")
def test_an_error_of_a_model_of_the_application(run: Any, start: Any, emission: Emission) -> None:
    with pytest.raises(IndexError):
        run(start(assistant(own=Scripted())))
    assert [found["error.type"] for found in attributes(emission, OWN)] == ["IndexError"]
    assert [event[1]["exception.type"] for event in emission.events] == ["IndexError"]


@Runs
@pytest.mark.usefixtures("instrumented")
def test_chat_completions(
    run: Any, start: Any, model: ScriptedModel, emission: Emission, balanced: Callable[[], None]
) -> None:
    async def running() -> None:
        async with openai.AsyncOpenAI(base_url=model.openai_url, api_key="none") as client:
            own = agents.OpenAIChatCompletionsModel("gpt-4o-mini", client)
            settings = agents.ModelSettings(
                **(
                    {"include_usage": True}
                    if hasattr(agents.ModelSettings, "include_usage")
                    else {}
                )
            )
            await start(assistant(own=own, tools=[weather], model_settings=settings))

    run(running())
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool weather",
        f"  {CHAT}",
    ]
    balanced()


@Runs
def test_an_sdk_that_is_not_instrumented(
    run: Any, start: Any, instrument: Any, emission: Emission, model: ScriptedModel, balanced: Any
) -> None:
    instrument(sdk=False)
    run(start(assistant(tools=[weather])))
    assert emission.tree() == [
        "invoke_agent guide",
        f"  {CHAT}",
        "  execute_tool weather",
        f"  {CHAT}",
    ]
    first, _ = attributes(emission, CHAT)
    assert first["gen_ai.provider.name"] == "openai"
    assert first["server.port"] == model.port
    balanced()


@Runs
def test_an_error_below_an_sdk_that_is_not_instrumented(
    run: Any, start: Any, instrument: Any, emission: Emission, model: ScriptedModel
) -> None:
    instrument(sdk=False)
    model.script(Failure(401))
    with pytest.raises(openai.AuthenticationError):
        run(start(assistant()))
    error = "openai.AuthenticationError"
    assert [(s.name, (s.attributes or {})["error.type"]) for s in emission.spans] == [
        (CHAT, error),
        ("invoke_agent guide", error),
    ]


@Runs
@pytest.mark.usefixtures("with_content")
def test_tools_that_the_provider_executes(run: Any, start: Any, emission: Emission) -> None:
    action = {"type": "search", "query": "weather"}
    search = ResponseFunctionWebSearch.model_validate(
        {"id": "ws-1", "status": "completed", "type": "web_search_call", "action": action}
    )
    run(start(assistant(own=Scripted([search, reply("Sunny.")]))))
    assert emission.tree() == ["invoke_agent guide", f"  {OWN}"]
    (found,) = attributes(emission, OWN)
    (message,) = json.loads(found["gen_ai.output.messages"])
    assert [part["type"] for part in message["parts"]] == ["server_tool_call", "text"]
