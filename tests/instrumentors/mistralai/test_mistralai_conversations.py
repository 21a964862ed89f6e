"""Conversations, which the server keeps: whole spans, their ids, their content."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from message_parts import text, tool_call
from mistral_calls import VERSION
from opentelemetry.trace import SpanKind

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall, Usage

if VERSION < (3, 0):  # conversations are of 1.8, and their tests of the newest version alone
    pytest.skip("the shapes are those of the newest version", allow_module_level=True)

REQUEST: dict[str, Any] = {
    "model": "mistral-medium",
    "inputs": "How is the weather?",
    "instructions": "Be brief.",
    "tools": [
        {"type": "web_search"},
        {"type": "function", "function": {"name": "weather", "parameters": {"type": "object"}}},
    ],
    "completion_args": {
        "temperature": 0.5,
        "top_p": 0.25,
        "max_tokens": 50,
        "random_seed": 3,
        "stop": ["END"],
        "response_format": {"type": "text"},
    },
}
SEARCH = {
    "type": "tool.execution",
    "id": "exec_1",
    "name": "web_search",
    "arguments": '{"query": "weather"}',
    "info": {"results": 2},
}
HANDOFF = {
    "type": "agent.handoff",
    "id": "hand_1",
    "previous_agent_id": "ag_1",
    "previous_agent_name": "planner",
    "next_agent_id": "ag_2",
    "next_agent_name": "writer",
}
SCRIPTED = Response(
    "Sunny today.",
    reasoning="Look outside.",
    id="conv_1",
    model="mistral-medium-2508",
    items=[SEARCH, HANDOFF],
    tool_calls=[ToolCall("weather", {"city": "Bern"}, id="call_1")],
    usage=Usage(100, 20, cache_write_tokens=40),
)


def whole(client: Any, run: Any) -> None:
    client.beta.conversations.start(**REQUEST)


def whole_async(client: Any, run: Any) -> None:
    def use(client: Any) -> Any:
        return client.beta.conversations.start_async(**REQUEST)

    run(use)


def stream(client: Any, run: Any) -> None:
    list(client.beta.conversations.start_stream(**REQUEST))


def stream_async(client: Any, run: Any) -> None:
    async def use(client: Any) -> None:
        async for _ in await client.beta.conversations.start_stream_async(**REQUEST):
            pass

    run(use)


def expected(model: ScriptedModel) -> dict[str, Any]:
    return {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "mistral_ai",
        "gen_ai.request.model": "mistral-medium",
        "gen_ai.conversation.id": "conv_1",
        "gen_ai.request.temperature": 0.5,
        "gen_ai.request.top_p": 0.25,
        "gen_ai.request.max_tokens": 50,
        "gen_ai.request.seed": 3,
        "gen_ai.request.stop_sequences": ("END",),
        "gen_ai.output.type": "text",
        "gen_ai.response.model": "mistral-medium-2508",
        "gen_ai.usage.input_tokens": 100,
        "gen_ai.usage.output_tokens": 20,
        "server.address": "127.0.0.1",
        "server.port": model.port,
    }


@pytest.mark.parametrize("send", [whole, whole_async, stream, stream_async])
@pytest.mark.usefixtures("instrumented")
def test_a_started_conversation(
    send: Callable[[Any, Any], None],
    client: Any,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    """What tools of the server have read is billed as input."""
    model.script(SCRIPTED)
    send(client, run)
    span = emission.span
    attributes = dict(span.attributes or {})
    assert (span.name, span.kind) == ("chat mistral-medium", SpanKind.CLIENT)
    is_streamed = send in (stream, stream_async)
    assert attributes.pop("gen_ai.request.stream", False) is is_streamed
    assert ("gen_ai.response.time_to_first_chunk" in attributes) is is_streamed
    attributes.pop("gen_ai.response.time_to_first_chunk", None)
    assert attributes == expected(model)


@pytest.mark.parametrize("send", [whole, stream])
@pytest.mark.usefixtures("with_content")
def test_its_content(
    send: Callable[[Any, Any], None],
    client: Any,
    run: Any,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(SCRIPTED)
    send(client, run)
    found = {
        name.removeprefix("gen_ai."): json.loads(str(value))
        for name, value in (emission.span.attributes or {}).items()
        if name.endswith(("messages", "instructions", "definitions"))
    }
    search = {"type": "web_search", "arguments": {"query": "weather"}}
    result = {"type": "web_search", "results": 2}
    assert found == {
        "system_instructions": [text("Be brief.")],
        "input.messages": [{"role": "user", "parts": [text("How is the weather?")]}],
        "output.messages": [
            {
                "role": "assistant",
                "parts": [
                    {
                        "type": "server_tool_call",
                        "id": "exec_1",
                        "name": "web_search",
                        "server_tool_call": search,
                    },
                    {
                        "type": "server_tool_call_response",
                        "id": "exec_1",
                        "server_tool_call_response": result,
                    },
                    {
                        "type": "generic",
                        "generic_type": "agent.handoff",
                        "previous_agent_name": "planner",
                        "next_agent_name": "writer",
                    },
                    {"type": "reasoning", "content": "Look outside."},
                    text("Sunny today."),
                    tool_call("call_1", "weather", city="Bern"),
                ],
                "finish_reason": "tool_call",
            }
        ],
        "tool.definitions": [
            {"type": "web_search", "name": "web_search"},
            {"type": "function", "name": "weather"},
        ],
    }


@pytest.mark.usefixtures("with_content")
def test_the_turns_of_a_conversation(client: Any, model: ScriptedModel, emission: Emission) -> None:
    """Each is a trace of its own with the conversation's id; a restart has a new one."""
    conversations = client.beta.conversations
    started = conversations.start(model="mistral-medium", inputs="Hi").conversation_id
    result = {"type": "function.result", "tool_call_id": "call_1", "result": "sunny"}
    conversations.append(conversation_id=started, inputs=[result])
    restarted = conversations.restart(conversation_id=started, from_entry_id="e", inputs="Again?")
    assert restarted.conversation_id != started
    ids = [(span.attributes or {})["gen_ai.conversation.id"] for span in emission.spans]
    assert ids == [started, started, restarted.conversation_id]
    assert emission.traces() == 3
    inputs = [
        json.loads(str((span.attributes or {})["gen_ai.input.messages"])) for span in emission.spans
    ]
    response = {"type": "tool_call_response", "id": "call_1", "response": "sunny"}
    assert inputs[1] == [{"role": "tool", "parts": [response]}]
    assert inputs[2][0]["parts"] == [text("Again?")]


@pytest.mark.usefixtures("with_content")
def test_sources_and_files_of_the_servers_tools(
    client: Any, model: ScriptedModel, emission: Emission
) -> None:
    page = {
        "type": "tool_reference",
        "tool": "web_search",
        "title": "A",
        "url": "https://a.example",
    }
    image = {"type": "tool_file", "tool": "image_generation", "file_id": "f1", "file_type": "png"}
    output = {"type": "message.output", "content": [{"type": "text", "text": "Here."}, page, image]}
    model.script(Response(items=[output]))
    client.beta.conversations.start(model="mistral-medium", inputs="Hi")
    (message,) = json.loads(str((emission.span.attributes or {})["gen_ai.output.messages"]))
    assert message["parts"] == [
        text("Here."),
        {"type": "uri", "modality": "document", "uri": "https://a.example"},
        {"type": "file", "modality": "image", "file_id": "f1"},
    ]
