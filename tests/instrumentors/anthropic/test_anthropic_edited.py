"""Content is what was sent: what the application edits afterwards is not recorded."""

from __future__ import annotations

from typing import Any, ClassVar

import anthropic
import pytest
from edited_laws import EditedLaws

from otel_agents.testing.emission import Emission


class TestEdited(EditedLaws):
    """The laws for messages."""

    content: ClassVar[dict[str, Any]] = {
        "gen_ai.system_instructions": [{"type": "text", "content": "SENT"}],
        "gen_ai.input.messages": [{"role": "user", "parts": [{"type": "text", "content": "SENT"}]}],
        "gen_ai.tool.definitions": [{"type": "function", "name": "SENT"}],
    }

    def request(self) -> dict[str, Any]:
        return {
            "system": [{"type": "text", "text": "SENT"}],
            "messages": [{"role": "user", "content": [{"type": "text", "text": "SENT"}]}],
            "tools": [{"name": "SENT", "input_schema": {"type": "object"}}],
        }

    def edit(self, sent: dict[str, Any]) -> None:
        sent["system"][0]["text"] = "EDITED"
        sent["messages"][0]["content"][0]["text"] = "EDITED"
        sent["messages"].append({"role": "user", "content": "EDITED"})
        sent["tools"][0]["name"] = "EDITED"

    def edit_response(self, response: Any) -> None:
        response.content[0].text = "EDITED"


@pytest.mark.usefixtures("with_content")
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
