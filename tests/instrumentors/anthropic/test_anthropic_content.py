"""Law 5 for Anthropic: content only if it is enabled, in the conventions' shapes."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable
from typing import Any

import anthropic
import pytest
from content_laws import SECRET, ContentLaws, attribute

from otel_agents.testing.emission import Emission
from otel_agents.testing.scripted_model import Response, ScriptedModel, ToolCall

PNG = b"\x89PNG-" + bytes(300)
DATA = base64.b64encode(PNG).decode()
TOOL: dict[str, Any] = {
    "name": "weather",
    "description": SECRET,
    "input_schema": {"type": "object", "properties": {SECRET: {"type": "string"}}},
}
SEARCH: dict[str, Any] = {"type": "web_search_20250305", "name": "web_search"}
CONVERSATION: list[Any] = [
    {
        "role": "user",
        "content": [
            {"type": "text", "text": f"What is this? {SECRET}"},
            {
                "type": "image",
                "source": {"type": "base64", "media_type": "image/png", "data": DATA},
            },
            {
                "type": "document",
                "source": {"type": "url", "url": f"https://example.com/{SECRET}.pdf"},
            },
            {"type": "document", "source": {"type": "file", "file_id": "file_1"}},
        ],
    },
    {
        "role": "assistant",
        "content": [
            {"type": "thinking", "thinking": "Let me look.", "signature": "signed"},
            {"type": "redacted_thinking", "data": "opaque"},
            {"type": "tool_use", "id": "toolu_1", "name": "weather", "input": {"city": SECRET}},
        ],
    },
    {
        "role": "user",
        "content": [
            {"type": "tool_result", "tool_use_id": "toolu_1", "content": f"sunny {SECRET}"},
        ],
    },
]
REQUEST: dict[str, Any] = {
    "model": "claude-4",
    "max_tokens": 9,
    "messages": CONVERSATION,
    "system": f"Be brief. {SECRET}",
    "tools": [TOOL, SEARCH],
}
CITATION = {
    "type": "web_search_result_location",
    "url": "https://example.com",
    "title": "Bern",
    "cited_text": "It is warm.",
    "encrypted_index": "opaque",
}
ITEMS: list[dict[str, Any]] = [
    {"type": "redacted_thinking", "data": "opaque"},
    {"type": "server_tool_use", "id": "srv_1", "name": "web_search", "input": {"query": "Bern"}},
    {
        "type": "web_search_tool_result",
        "tool_use_id": "srv_1",
        "content": [
            {
                "type": "web_search_result",
                "url": "https://example.com",
                "title": "Bern",
                "encrypted_content": "opaque",
            }
        ],
    },
    {
        "type": "mcp_tool_use",
        "id": "mcp_1",
        "name": "lookup",
        "server_name": "maps",
        "input": {"city": "Bern"},
    },
    {
        "type": "mcp_tool_result",
        "tool_use_id": "mcp_1",
        "is_error": True,
        "content": [{"type": "text", "text": "closed"}],
    },
    {"type": "text", "text": "It is warm.", "citations": [CITATION]},
    {"type": "compaction", "content": "They ask for the weather."},
    {"type": "container_upload", "file_id": "file_2"},
]
OUTPUT = [
    {
        "role": "assistant",
        "parts": [
            {"type": "reasoning", "content": "Look outside."},
            {"type": "generic", "generic_type": "redacted_thinking"},
            {
                "type": "server_tool_call",
                "id": "srv_1",
                "name": "web_search",
                "server_tool_call": {"type": "web_search", "arguments": {"query": "Bern"}},
            },
            {
                "type": "server_tool_call_response",
                "id": "srv_1",
                "server_tool_call_response": {
                    "type": "web_search",
                    "content": [
                        {"type": "web_search_result", "url": "https://example.com", "title": "Bern"}
                    ],
                },
            },
            {
                "type": "server_tool_call",
                "id": "mcp_1",
                "name": "lookup",
                "server_tool_call": {
                    "type": "mcp",
                    "server_name": "maps",
                    "arguments": {"city": "Bern"},
                },
            },
            {
                "type": "server_tool_call_response",
                "id": "mcp_1",
                "server_tool_call_response": {
                    "type": "mcp",
                    "content": [{"type": "text", "text": "closed"}],
                    "is_error": True,
                },
            },
            {
                "type": "text",
                "content": "It is warm.",
                "citations": [{k: v for k, v in CITATION.items() if not k.startswith("encrypted")}],
            },
            {"type": "compaction", "content": "They ask for the weather."},
            {"type": "file", "modality": "document", "file_id": "file_2"},
            {"type": "text", "content": "Warm."},
            {
                "type": "tool_call",
                "id": "toolu_2",
                "name": "weather",
                "arguments": {"city": "Bern"},
            },
        ],
        "finish_reason": "tool_use",
    }
]


def scripted() -> Response:
    call = ToolCall("weather", {"city": "Bern"}, id="toolu_2")
    return Response("Warm.", reasoning="Look outside.", items=ITEMS, tool_calls=[call])


class TestContent(ContentLaws):
    """The laws for messages."""

    request = REQUEST


@pytest.mark.usefixtures("with_content")
def test_the_content_of_a_request(client: anthropic.Anthropic, emission: Emission) -> None:
    client.messages.create(**REQUEST)
    assert attribute(emission, "gen_ai.system_instructions") == [
        {"type": "text", "content": f"Be brief. {SECRET}"}
    ]
    assert attribute(emission, "gen_ai.tool.definitions") == [
        {"type": "function", "name": "weather"},
        {"type": "web_search_20250305", "name": "web_search"},
    ]
    assert attribute(emission, "gen_ai.input.messages") == [
        {
            "role": "user",
            "parts": [
                {"type": "text", "content": f"What is this? {SECRET}"},
                {
                    "type": "blob",
                    "modality": "image",
                    "mime_type": "image/png",
                    "content": "",
                    "otel_agents.bytes": len(PNG),
                    "otel_agents.sha256": hashlib.sha256(PNG).hexdigest(),
                },
                {
                    "type": "uri",
                    "modality": "document",
                    "uri": f"https://example.com/{SECRET}.pdf",
                },
                {"type": "file", "modality": "document", "file_id": "file_1"},
            ],
        },
        {
            "role": "assistant",
            "parts": [
                {"type": "reasoning", "content": "Let me look."},
                {"type": "generic", "generic_type": "redacted_thinking"},
                {
                    "type": "tool_call",
                    "id": "toolu_1",
                    "name": "weather",
                    "arguments": {"city": SECRET},
                },
            ],
        },
        {
            "role": "tool",
            "parts": [
                {"type": "tool_call_response", "id": "toolu_1", "response": f"sunny {SECRET}"}
            ],
        },
    ]


def create(client: Any) -> None:
    client.messages.create(**REQUEST)


def read(client: Any) -> None:
    list(client.messages.create(**REQUEST, stream=True))


def read_by_helper(client: Any) -> None:
    with client.messages.stream(**REQUEST) as events:
        for _ in events.text_stream:
            pass


def read_raw(client: Any) -> None:
    client.messages.with_raw_response.create(**REQUEST)


def read_lines(client: Any) -> None:
    with client.messages.with_streaming_response.create(**REQUEST, stream=True) as response:
        list(response.iter_lines())


@pytest.mark.parametrize("send", [create, read, read_by_helper, read_raw, read_lines])
@pytest.mark.usefixtures("with_content")
def test_the_content_of_a_response_is_the_same_however_it_is_read(
    send: Callable[[Any], None],
    client: anthropic.Anthropic,
    model: ScriptedModel,
    emission: Emission,
) -> None:
    model.script(scripted())
    send(client)
    assert attribute(emission, "gen_ai.output.messages") == OUTPUT


@pytest.mark.usefixtures("with_content")
def test_a_tool_result_may_have_media(client: anthropic.Anthropic, emission: Emission) -> None:
    content = [
        {"type": "text", "text": "a map"},
        {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": DATA}},
        {
            "type": "search_result",
            "source": "https://example.com",
            "title": "Bern",
            "content": [{"type": "text", "text": "warm"}],
        },
    ]
    result: Any = {"type": "tool_result", "tool_use_id": "toolu_1", "content": content}
    messages: Any = [{"role": "user", "content": [result, {"type": "text", "text": "So?"}]}]
    client.messages.create(model="m", max_tokens=9, messages=messages)
    (message,) = attribute(emission, "gen_ai.input.messages")
    assert message["role"] == "user"
    response, text = message["parts"]
    assert text == {"type": "text", "content": "So?"}
    kinds = [(part["type"], part.get("generic_type")) for part in response["response"]]
    assert kinds == [("text", None), ("blob", None), ("generic", "search_result")]
