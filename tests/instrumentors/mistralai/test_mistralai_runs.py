"""Runs of conversations: requests in turn, with the tools that the SDK executes for them."""

from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from mistral_calls import VERSION
from opentelemetry.trace import StatusCode

from otel_agents.instrumentors._core.calls import finalization
from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Failure, Response, ScriptedModel, ToolCall, Usage

if VERSION < (3, 0):
    pytest.skip("runs are tested with the newest version", allow_module_level=True)

_contexts: Any = importlib.import_module("mistralai.extra.run.context")
SECRET = "planted-secret"


def weather(city: str) -> str:
    """Return the weather.

    Args:
        city: The city.
    """
    if city == "nowhere":
        raise LookupError(SECRET)
    return f"sunny in {city}"


async def rain(city: str) -> str:
    """Return the rain.

    Args:
        city: The city.
    """
    return f"none in {city}"


def script(model: ScriptedModel, city: str = "Bern") -> None:
    calls = [
        ToolCall("weather", {"city": city}, id="call_1"),
        ToolCall("rain", {"city": city}, id="call_2"),
    ]
    model.script(
        Response(tool_calls=calls, id="conv_1", usage=Usage(10, 5)),
        Response("It is sunny.", usage=Usage(30, 7)),
    )


async def whole(client: Any, context: Any) -> Any:
    return await client.beta.conversations.run_async(run_ctx=context, inputs="How is it?")


async def stream(client: Any, context: Any) -> Any:
    events = await client.beta.conversations.run_stream_async(run_ctx=context, inputs="How is it?")
    return [event async for event in events][-1]


def running(send: Callable[..., Any], **known: Any) -> Callable[[Any], Any]:
    async def use(client: Any) -> Any:
        async with _contexts.RunContext(model="mistral-medium", **known) as context:
            context.register_func(weather)
            context.register_func(rain)
            return await send(client, context)

    return use


TREE = [
    "invoke_agent",
    "  chat mistral-medium",
    "  execute_tool weather",
    "  execute_tool rain",
    "  chat",
]


@pytest.mark.parametrize("send", [whole, stream])
@pytest.mark.usefixtures("with_content")
def test_a_run_is_one_trace(
    send: Callable[..., Any], run: Any, model: ScriptedModel, emission: Emission
) -> None:
    script(model)
    result = run(running(send))
    assert result.output_as_text == "It is sunny."
    assert emission.tree() == TREE
    agent = dict(emission.spans[-1].attributes or {})
    content = {name: json.loads(str(agent.pop(name))) for name in list(agent) if "messages" in name}
    assert agent == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.request.model": "mistral-medium",
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.usage.input_tokens": 40,
        "gen_ai.usage.output_tokens": 12,
    }
    assert content == {
        "gen_ai.input.messages": [
            {"role": "user", "parts": [{"type": "text", "content": "How is it?"}]}
        ],
        "gen_ai.output.messages": [
            {
                "role": "assistant",
                "parts": [{"type": "text", "content": "It is sunny."}],
                "finish_reason": "stop",
            }
        ],
    }
    (tool,) = [span for span in emission.spans if span.name == "execute_tool weather"]
    assert dict(tool.attributes or {}) == {
        "gen_ai.operation.name": "execute_tool",
        "gen_ai.tool.name": "weather",
        "gen_ai.tool.type": "function",
        "gen_ai.tool.call.id": "call_1",
        "gen_ai.tool.call.arguments": '{"city":"Bern"}',
        "gen_ai.tool.call.result": '{"result":"sunny in Bern"}',
    }


@pytest.mark.usefixtures("instrumented")
def test_a_run_has_no_content_by_default(
    run: Any, model: ScriptedModel, emission: Emission
) -> None:
    script(model, city=SECRET)
    run(running(whole))
    assert emission.tree() == TREE
    assert SECRET not in emission.texts()


@pytest.mark.parametrize("goes_on", [False, True])
@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_fails(
    goes_on: bool, run: Any, model: ScriptedModel, emission: Emission
) -> None:
    script(model, city="nowhere")
    if goes_on:
        run(running(whole, continue_on_fn_error=True))
    else:
        with pytest.raises(Exception, match="Failed to execute tool"):
            run(running(whole))
    failed = {
        span.name: (span.attributes or {})["error.type"]
        for span in emission.spans
        if span.status.status_code is StatusCode.ERROR
    }
    if goes_on:
        assert failed == {"execute_tool weather": "_OTHER"}
    else:
        run_error = "mistralai.extra.exceptions.RunException"
        assert failed == {"execute_tool weather": "LookupError", "invoke_agent": run_error}
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_run_whose_request_fails(run: Any, model: ScriptedModel, emission: Emission) -> None:
    model.script(Failure(429, "3505", SECRET, kind="capacity_exceeded"))
    with pytest.raises(Exception, match=SECRET):
        run(running(whole))
    assert emission.tree() == ["invoke_agent", "  chat mistral-medium"]
    assert [(it.attributes or {})["error.type"] for it in emission.spans] == [
        "capacity_exceeded",
        "mistralai.client.errors.sdkerror.SDKError",
    ]
    assert SECRET not in emission.texts()


@pytest.mark.usefixtures("instrumented")
def test_a_tool_that_waits_for_a_confirmation_is_no_failure(
    run: Any, model: ScriptedModel, emission: Emission
) -> None:
    script(model)

    async def use(client: Any) -> Any:
        async with _contexts.RunContext(model="mistral-medium") as context:
            context.register_func(weather, requires_confirmation=True)
            context.register_func(rain)
            await whole(client, context)

    with pytest.raises(Exception, match="") as raised:  # noqa: PT011  checked below
        run(use)
    assert type(raised.value).__name__ == "DeferredToolCallsException"
    assert emission.tree() == [
        "invoke_agent",
        "  chat mistral-medium",
        "  execute_tool rain",
    ]
    assert all(span.status.status_code is StatusCode.UNSET for span in emission.spans)


@pytest.mark.usefixtures("instrumented")
def test_a_streamed_run_that_is_left(run: Any, model: ScriptedModel, emission: Emission) -> None:
    script(model)

    async def leave(client: Any, context: Any) -> None:
        conversations = client.beta.conversations
        events = await conversations.run_stream_async(run_ctx=context, inputs="How is it?")
        await anext(events)
        await events.aclose()

    run(running(leave))
    assert finalization.drain(5)
    assert emission.tree() == ["invoke_agent", "  chat mistral-medium"]
    assert all((it.attributes or {})["otel_agents.stream.abandoned"] for it in emission.spans)


@pytest.mark.usefixtures("instrumented")
def test_a_run_continues_a_conversation(run: Any, model: ScriptedModel, emission: Emission) -> None:
    run(running(whole, conversation_id="conv_9"))
    ids = [(span.attributes or {})["gen_ai.conversation.id"] for span in emission.spans]
    assert ids == ["conv_9"] * len(emission.spans)
    assert emission.tree()[0] == "invoke_agent"
