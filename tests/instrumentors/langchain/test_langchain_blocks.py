"""Blocks of content in messages: media are no text, whichever provider's form they have."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from langchain_core.messages import AIMessage, BaseMessage, HumanMessage, ToolMessage
from langchain_core.tools import tool
from langchain_graphs import CORE
from packaging.version import Version

from otel_agents.instrumentors._core.encoding import media
from otel_agents.instrumentors.langchain._messages import model_message
from otel_agents.testing.emission import Emission

DATA = base64.b64encode(b"planted image " * 4).decode()
PNG = "image/png"
URL = f"data:{PNG};base64,{DATA}"
BLOB = media.part_from_base64(DATA, PNG, "image")
PDF = media.part_from_base64(DATA, "application/pdf", "document")
LINK = "https://example.test/a.png"
FILE = {"type": "file", "modality": "document", "file_id": "f-1"}

MEDIA: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"type": "image", "base64": DATA, "mime_type": PNG}, BLOB),
    ({"type": "image", "source_type": "base64", "data": DATA, "mime_type": PNG}, BLOB),
    ({"type": "image", "source": {"type": "base64", "media_type": PNG, "data": DATA}}, BLOB),
    ({"type": "image_url", "image_url": {"url": URL}}, BLOB),
    ({"type": "image_url", "image_url": URL}, BLOB),
    ({"type": "input_image", "image_url": URL}, BLOB),
    ({"type": "media", "mime_type": PNG, "data": DATA}, BLOB),
    (
        {"type": "media", "mime_type": PNG, "data": base64.b64decode(DATA)},
        media.part_from_bytes(base64.b64decode(DATA), PNG, "image"),
    ),
    ({"type": "image", "url": LINK}, {"type": "uri", "modality": "image", "uri": LINK}),
    (
        {"type": "image", "source": {"type": "url", "url": LINK}},
        {"type": "uri", "modality": "image", "uri": LINK},
    ),
    (
        {"type": "input_audio", "input_audio": {"data": DATA, "format": "wav"}},
        media.part_from_base64(DATA, None, "audio"),
    ),
    ({"type": "file", "base64": DATA, "mime_type": "application/pdf"}, PDF),
    ({"type": "file", "file": {"file_data": f"data:application/pdf;base64,{DATA}"}}, PDF),
    (
        {
            "type": "document",
            "source": {"type": "base64", "media_type": "application/pdf", "data": DATA},
        },
        PDF,
    ),
    (
        {"type": "document", "source": {"type": "text", "data": "plain"}},
        {"type": "text", "content": "plain"},
    ),
    ({"type": "file", "file_id": "f-1"}, FILE),
    ({"type": "file", "file": {"file_id": "f-1"}}, FILE),
    ({"type": "image"}, {"type": "generic", "generic_type": "image"}),
    ({"type": "unheard_of", "data": DATA}, {"type": "generic", "generic_type": "unheard_of"}),
]


def parts(value: BaseMessage) -> list[dict[str, Any]]:
    return model_message(value)["parts"]


@pytest.mark.parametrize(("block", "part"), MEDIA)
def test_a_medium_is_a_part_without_its_data(block: Any, part: dict[str, Any]) -> None:
    assert parts(HumanMessage([block])) == [part]
    (response,) = parts(ToolMessage([block], tool_call_id="c-1"))
    assert response == {"type": "tool_call_response", "id": "c-1", "response": [part]}


REASONING: list[dict[str, Any]] = [
    {"type": "thinking", "thinking": "hm", "signature": "s"},
    {"type": "reasoning", "reasoning": "hm"},
    {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
    {"type": "reasoning_content", "reasoning_content": {"text": "hm", "signature": "s"}},
]


@pytest.mark.parametrize("block", REASONING)
def test_reasoning_is_a_part(block: Any) -> None:
    assert parts(AIMessage([block])) == [{"type": "reasoning", "content": "hm"}]


def test_separate_reasoning_is_a_part() -> None:
    value = AIMessage("yes", additional_kwargs={"reasoning_content": "hm"})
    assert [part["type"] for part in parts(value)] == ["reasoning", "text"]


def test_the_tools_of_a_provider_are_parts() -> None:
    query = {"query": "rain"}
    own: Any = [
        {"type": "server_tool_call", "id": "s-1", "name": "search", "args": query},
        {"type": "server_tool_result", "tool_call_id": "s-1", "status": "success", "output": "wet"},
    ]
    assert [part["type"] for part in parts(AIMessage(own))] == [
        "server_tool_call",
        "server_tool_call_response",
    ]
    providers: Any = [
        {"type": "server_tool_use", "id": "s-1", "name": "web_search", "input": query},
        {"type": "web_search_tool_result", "tool_use_id": "s-1", "content": []},
    ]
    assert [part["type"] for part in parts(AIMessage(providers))] == [
        "server_tool_call",
        "server_tool_call_response",
    ]


@pytest.mark.skipif(
    "invalid_tool_calls" not in AIMessage("").__dict__, reason="Messages have no calls."
)
def test_a_call_that_is_no_json_is_a_call() -> None:
    call: Any = {"name": "f", "args": "{bad", "id": "c-1", "error": None}
    assert parts(AIMessage("", invalid_tool_calls=[call])) == [
        {"type": "tool_call", "id": "c-1", "name": "f", "arguments": "{bad"}
    ]


@pytest.mark.skipif(Version("0.2.20") > CORE, reason="Results of tools become texts.")
@pytest.mark.usefixtures("with_content")
def test_a_tool_that_returns_an_image(emission: Emission) -> None:
    @tool
    def draw() -> Any:
        """Draw."""
        return [{"type": "image", "base64": DATA, "mime_type": PNG}]

    draw.invoke({"name": "draw", "args": {}, "id": "c-1", "type": "tool_call"})
    result = json.loads(str((emission.span.attributes or {})["gen_ai.tool.call.result"]))
    assert result in ([BLOB], {"result": [BLOB]})
    assert DATA not in emission.texts()
