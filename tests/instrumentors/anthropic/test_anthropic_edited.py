"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import anthropic
import pytest

from otel_agents.testing.emission import Emission

pytestmark = pytest.mark.usefixtures("with_content")


def request() -> dict[str, Any]:
    return {
        "system": [{"type": "text", "text": "SENT"}],
        "messages": [{"role": "user", "content": [{"type": "text", "text": "SENT"}]}],
        "tools": [{"name": "SENT", "input_schema": {"type": "object"}}],
    }


def edit(sent: dict[str, Any]) -> None:
    """Edit everything, nested values too."""
    sent["system"][0]["text"] = "EDITED"
    sent["messages"][0]["content"][0]["text"] = "EDITED"
    sent["messages"].append({"role": "user", "content": "EDITED"})
    sent["tools"][0]["name"] = "EDITED"


def attributes(emission: Emission) -> dict[str, Any]:
    found: dict[str, Any] = dict(emission.span.attributes or {})
    return {name: json.loads(value) for name, value in found.items() if name in CONTENT}


CONTENT = {
    "gen_ai.system_instructions": [{"type": "text", "content": "SENT"}],
    "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "SENT"}]}],
    "gen_ai.tool.definitions": [{"type": "function", "name": "SENT"}],
}


def test_edited_while_a_stream_is_read(client: anthropic.Anthropic, emission: Emission) -> None:
    sent = request()
    create: Any = client.messages.create
    for number, _ in enumerate(create(model="m", max_tokens=9, stream=True, **sent)):
        if not number:
            edit(sent)
    assert attributes(emission) == CONTENT


def test_edited_while_a_response_is_awaited(run: Callable[..., Any], emission: Emission) -> None:
    sent = request()

    async def send(client: Any) -> None:
        stream = await client.messages.create(model="m", max_tokens=9, stream=True, **sent)
        edit(sent)
        async for _ in stream:
            pass

    run(send)
    assert attributes(emission) == CONTENT


def test_a_response_that_is_edited_is_recorded_as_received(
    client: anthropic.Anthropic, emission: Emission
) -> None:
    messages: Any = [{"role": "user", "content": "SENT"}]
    response: Any = client.messages.create(model="m", max_tokens=9, messages=messages)
    response.content[0].text = "EDITED"
    assert "EDITED" not in emission.texts()


def test_events_that_are_edited_are_recorded_as_received(
    client: anthropic.Anthropic, emission: Emission
) -> None:
    messages: Any = [{"role": "user", "content": "SENT"}]
    for event in client.messages.create(model="m", max_tokens=9, messages=messages, stream=True):
        changed: Any = event
        if event.type == "content_block_start":
            changed.content_block.text = "EDITED"
        elif event.type == "message_start":
            changed.message.model = "EDITED"
    assert "EDITED" not in emission.texts()
