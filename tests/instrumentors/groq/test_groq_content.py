"""Law 5 for Groq: content only if it is enabled, in the conventions' shapes."""

from __future__ import annotations

import hashlib
import json
from base64 import b64encode
from collections.abc import Callable
from typing import Any

import groq
import pytest
from content_laws import SECRET, ContentLaws, attribute
from groq_calls import chat

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Abort, Failure, Response, ScriptedModel, ToolCall

PNG = b"\x89PNG-" + bytes(300)
TOOL = {"type": "function", "function": {"name": "weather", "description": SECRET}}
REQUEST: dict[str, Any] = {
    "messages": [
        {"role": "system", "content": f"Be brief. {SECRET}"},
        {"role": "user", "content": f"How is it? {SECRET}"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "weather", "arguments": json.dumps({"city": SECRET})},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": f"sunny {SECRET}"},
    ],
    "tools": [TOOL],
    "extra_body": {
        "compound_custom": {
            "tools": {
                "enabled_tools": ["web_search"],
                "wolfram_settings": {"authorization": "a-key-that-is-never-recorded"},
            }
        }
    },
}
SEARCH = {
    "index": 0,
    "type": "search",
    "arguments": json.dumps({"query": SECRET}),
    "output": f"Title: {SECRET}",
    "search_results": {"results": [{"title": "Weather", "url": f"https://example.com/{SECRET}"}]},
}
PYTHON = {
    "index": 1,
    "type": "python",
    "arguments": json.dumps({"code": "plot()"}),
    "code_results": [{"text": "done", "png": b64encode(PNG).decode()}, {"text": "more"}],
}
CITATION = {
    "type": "document_citation",
    "document_citation": {"document_id": SECRET, "start_index": 0, "end_index": 5},
}
RESPONSE = Response(
    f"Warm. {SECRET}",
    reasoning=f"Let me think. {SECRET}",
    tool_calls=[ToolCall("weather", {"city": SECRET}, id="call_2")],
    items=[SEARCH, PYTHON, CITATION],
)
OUTPUT = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": f"Let me think. {SECRET}"},
            {
                "type": "server_tool_call",
                "id": "0",
                "name": "search",
                "server_tool_call": {"type": "search", "arguments": {"query": SECRET}},
            },
            {
                "type": "server_tool_call_response",
                "id": "0",
                "server_tool_call_response": {
                    "type": "search",
                    "output": f"Title: {SECRET}",
                    "search_results": SEARCH["search_results"],
                },
            },
            {
                "type": "server_tool_call",
                "id": "1",
                "name": "python",
                "server_tool_call": {"type": "python", "arguments": {"code": "plot()"}},
            },
            {
                "type": "server_tool_call_response",
                "id": "1",
                "server_tool_call_response": {
                    "type": "python",
                    "code_results": [
                        {
                            "text": "done",
                            "png": {
                                "type": "blob",
                                "modality": "image",
                                "mime_type": "image/png",
                                "content": "",
                                "otel_agents.bytes": len(PNG),
                                "otel_agents.sha256": hashlib.sha256(PNG).hexdigest(),
                            },
                        },
                        {"text": "more"},
                    ],
                },
            },
            {"type": "text", "content": f"Warm. {SECRET}", "citations": [CITATION]},
            {
                "type": "tool_call",
                "id": "call_2",
                "name": "weather",
                "arguments": {"city": SECRET},
            },
        ],
        "finish_reason": "tool_calls",
    }
]


class TestContent(ContentLaws):
    """The laws for chat; what embeddings send is content too."""

    request = REQUEST

    def others(self, client: Any) -> list[Callable[[], object]]:
        return [lambda: client.embeddings.create(model="m", input=SECRET)]


def whole(client: groq.Groq) -> None:
    chat(client, **REQUEST)


def streamed(client: groq.Groq) -> None:
    list(chat(client, **REQUEST, stream=True))


def raw(client: groq.Groq) -> None:
    client.chat.completions.with_raw_response.create(model="m", **REQUEST)


def raw_stream(client: groq.Groq) -> None:
    completions = client.chat.completions.with_streaming_response
    with completions.create(model="m", **REQUEST, stream=True) as response:
        list(response.iter_lines())


ways = pytest.mark.parametrize("way", [whole, streamed, raw, raw_stream])


@ways
@pytest.mark.usefixtures("instrumented")
def test_nothing_leaves_by_default(
    way: Callable[[groq.Groq], None], client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    model.script(RESPONSE, Failure(400, message=SECRET))
    way(client)
    with pytest.raises(groq.BadRequestError):
        whole(client)
    client.embeddings.create(model="m", input=SECRET)
    assert len(emission.spans) == 3
    assert SECRET not in emission.texts()


@ways
@pytest.mark.usefixtures("with_content")
def test_messages_on_the_span(
    way: Callable[[groq.Groq], None], client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    model.script(RESPONSE)
    way(client)
    assert attribute(emission, "gen_ai.input.messages") == [
        {"role": "system", "parts": [{"type": "text", "content": f"Be brief. {SECRET}"}]},
        {"role": "user", "parts": [{"type": "text", "content": f"How is it? {SECRET}"}]},
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "tool_call",
                    "id": "call_1",
                    "name": "weather",
                    "arguments": {"city": SECRET},
                }
            ],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "call_1", "response": f"sunny {SECRET}"}
            ],
        },
    ]
    assert attribute(emission, "gen_ai.output.messages") == OUTPUT
    assert attribute(emission, "gen_ai.tool.definitions") == [
        {"type": "function", "name": "weather"},
        {"type": "web_search", "name": "web_search"},
    ]
    assert "a-key-that-is-never-recorded" not in emission.texts()


@pytest.mark.usefixtures("with_content")
def test_a_stream_that_breaks_has_the_call_without_its_result(
    client: groq.Groq, model: ScriptedModel, emission: Emission
) -> None:
    model.script(Response("Warm.", items=[SEARCH], fault=Abort(2)))
    with pytest.raises(Exception):  # noqa: B017, PT011  which one depends on the SDK
        list(chat(client, stream=True))
    assert attribute(emission, "gen_ai.output.messages") == [
        {
            "role": "assistant",
            "parts": [
                {
                    "type": "server_tool_call",
                    "id": "0",
                    "name": "search",
                    "server_tool_call": {"type": "search", "arguments": {"query": SECRET}},
                }
            ],
            "finish_reason": "error",
        }
    ]
