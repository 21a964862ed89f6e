"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from edited_laws import check_recorded

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("with_content")


def request() -> dict[str, Any]:
    return {
        "messages": [
            {"role": "system", "content": "SENT"},
            {"role": "user", "content": [{"type": "text", "text": "SENT"}]},
        ],
        "tools": [{"type": "function", "function": {"name": "SENT", "parameters": {}}}],
    }


def edit(sent: dict[str, Any]) -> None:
    """Edit everything, nested values too."""
    messages = sent["messages"]
    messages[0]["content"] = "EDITED"
    messages[1]["content"][0]["text"] = "EDITED"
    messages.append({"role": "user", "content": "EDITED"})
    sent["tools"][0]["function"]["name"] = "EDITED"


CONTENT = {
    "gen_ai.input.messages": [
        {"role": "system", "parts": [{"type": "text", "content": "SENT"}]},
        {"role": "user", "parts": [{"type": "text", "content": "SENT"}]},
    ],
    "gen_ai.tool.definitions": [{"type": "function", "name": "SENT"}],
}


def test_edited_while_a_stream_is_read(client: Any, emission: Emission) -> None:
    sent = request()
    stream = client.chat.stream(model="m", **{**sent, "tool_choice": "none"})
    edit(sent)
    list(stream)
    check_recorded(emission, CONTENT)


def test_edited_while_a_response_is_awaited(run: Callable[..., Any], emission: Emission) -> None:
    sent = request()

    async def send(client: Any) -> None:
        stream = await client.chat.stream_async(model="m", **{**sent, "tool_choice": "none"})
        edit(sent)
        async for _ in stream:
            pass

    run(send)
    check_recorded(emission, CONTENT)


def test_a_response_that_is_edited_is_recorded_as_received(client: Any, emission: Emission) -> None:
    response = client.chat.complete(model="m", messages=[{"role": "user", "content": "SENT"}])
    response.choices[0].message.content = "EDITED"
    assert "EDITED" not in emission.texts()
