"""The SDK's model that sends over a WebSocket: one span for each response."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterator
from typing import Any

import openai
import pytest
from openai_agents_runs import CHAT, agents, assistant, drain, finished, started, weather
from websocket_model import websocket_before

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import (
    Abort,
    ErrorEvent,
    Failure,
    Response,
    ScriptedModel,
    ToolCall,
)

Runs = pytest.mark.parametrize("start", [finished, started])
Work = Callable[[Any], Coroutine[Any, Any, Any]]
Over = Callable[[Work], Any]
TREE = ["invoke_agent guide", f"  {CHAT}", "  execute_tool weather", f"  {CHAT}"]
WEATHER = ToolCall("weather", {"city": "Bern"}, id="call_1")


@pytest.fixture
def over(model: ScriptedModel, run: Any) -> Iterator[Over]:
    """Return a function that runs work with a model that is closed in its loop."""
    with websocket_before(model) as url:

        async def closing(work: Work) -> Any:
            client = openai.AsyncOpenAI(api_key="none", websocket_base_url=url)
            own = agents.OpenAIResponsesWSModel("gpt-4o-mini", client)
            try:
                return await work(own)
            finally:
                await own.close()
                await client.close()

        yield lambda work: run(closing(work))


def attributes(emission: Emission) -> list[dict[str, Any]]:
    return [dict(span.attributes or {}) for span in emission.spans if span.name == CHAT]


@Runs
@pytest.mark.usefixtures("instrumented")
def test_a_response_is_one_span(
    over: Over, start: Any, model: ScriptedModel, emission: Emission, balanced: Any
) -> None:
    model.script(Response(tool_calls=[WEATHER]), "Sunny.")
    result = over(lambda own: start(assistant(own=own, tools=[weather])))
    assert result.final_output == "Sunny."
    assert emission.tree() == TREE
    balanced()
    first, last = model.ledger.entries
    _, found = attributes(emission)
    assert 0 < found.pop("gen_ai.response.time_to_first_chunk") < 10
    assert isinstance(found.pop("server.port"), int)
    assert found == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "openai",
        "gen_ai.request.model": "gpt-4o-mini",
        "gen_ai.request.stream": True,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.response.id": last.response_id,
        "gen_ai.response.model": "gpt-4o-mini-2024-07-18",
        "gen_ai.usage.input_tokens": last.input_tokens,
        "gen_ai.usage.output_tokens": last.output_tokens,
        "gen_ai.usage.cache_read.input_tokens": last.cached_tokens,
        "gen_ai.usage.reasoning.output_tokens": last.reasoning_tokens,
        "openai.api.type": "responses",
        "openai.response.service_tier": "default",
        "server.address": "127.0.0.1",
    }
    assert first.response_id != last.response_id


@Runs
@pytest.mark.usefixtures("instrumented")
def test_an_error_is_on_the_response(
    over: Over, start: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Failure(500))
    with pytest.raises(RuntimeError, match="Responses websocket error"):
        over(lambda own: start(assistant(own=own)))
    error = "agents.models.openai_responses.ResponsesWebSocketError"
    assert [(span.name, (span.attributes or {})["error.type"]) for span in emission.spans] == [
        (CHAT, error),
        ("invoke_agent guide", error),
    ]
    assert [event[1]["exception.type"] for event in emission.events] == [error]


@Runs
@pytest.mark.parametrize("fault", [Abort(after=2), ErrorEvent(after=2)])
@pytest.mark.usefixtures("instrumented")
def test_a_response_that_breaks_off(
    over: Over, start: Any, fault: Any, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Sunny.", fault=fault))
    with pytest.raises(Exception) as raised:  # noqa: PT011  of websockets, or of the SDK
        over(lambda own: start(assistant(own=own)))
    kind = f"{raised.type.__module__}.{raised.type.__qualname__}"
    assert [(span.name, (span.attributes or {})["error.type"]) for span in emission.spans] == [
        (CHAT, kind),
        ("invoke_agent guide", kind),
    ]
    (found,) = attributes(emission)
    assert "gen_ai.usage.input_tokens" not in found


@pytest.mark.usefixtures("instrumented")
def test_a_server_that_does_not_listen(run: Any, emission: Emission) -> None:
    async def work() -> None:
        client = openai.AsyncOpenAI(api_key="none", websocket_base_url="ws://127.0.0.1:1/v1")
        async with client:
            await finished(assistant(own=agents.OpenAIResponsesWSModel("gpt-4o-mini", client)))

    with pytest.raises(ConnectionRefusedError):
        run(work())
    (found,) = attributes(emission)
    assert (found["error.type"], found["server.port"]) == ("ConnectionRefusedError", 1)


@pytest.mark.usefixtures("instrumented")
def test_a_consumer_that_leaves_does_not_stop_the_response(
    over: Over, model: ScriptedModel, emission: Emission, balanced: Any
) -> None:
    async def work(own: Any) -> None:
        result = agents.Runner.run_streamed(assistant(own=own), "go")
        async for _ in result.stream_events():
            break
        await drain(result)

    model.script("one two three")
    over(work)
    assert emission.tree() == ["invoke_agent guide", f"  {CHAT}"]
    balanced()
